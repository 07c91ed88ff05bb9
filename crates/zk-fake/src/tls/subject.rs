//! Whom a certificate names.
//!
//! Just as much of DER as leads to the subject; whether the certificate is to be trusted was decided before.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_VERSION: u8 = 0xa0;

/// The attributes that have a short name.
const NAMES: [(&[u8], &str); 9] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

/// Returns the subject as a server writes it (RFC 2253): the most specific part first. Attributes without a
/// short name are left out.
pub(super) fn subject_of(certificate: &[u8]) -> Option<String> {
    let (tag, mut body, _) = take(certificate)?;
    let (inner, mut fields, _) = take(body).filter(|_| tag == SEQUENCE)?;
    if inner != SEQUENCE {
        return None;
    }
    if fields.first() == Some(&EXPLICIT_VERSION) {
        (_, _, fields) = take(fields)?;
    }
    // Serial number, algorithm, issuer and validity stand before it.
    for _ in 0..4 {
        (_, _, fields) = take(fields)?;
    }
    (_, body, _) = take(fields)?;
    let mut parts = Vec::new();
    while !body.is_empty() {
        let (tag, set, rest) = take(body)?;
        parts.extend(part(set).filter(|_| tag == SET));
        body = rest;
    }
    parts.reverse();
    Some(parts.join(","))
}

fn part(mut set: &[u8]) -> Option<String> {
    let mut pairs = Vec::new();
    while !set.is_empty() {
        let (_, pair, rest) = take(set)?;
        let (tag, kind, value) = take(pair)?;
        let (_, value, _) = take(value)?;
        let name = NAMES.iter().find(|(id, _)| tag == OBJECT_IDENTIFIER && *id == kind);
        pairs.extend(name.map(|(_, name)| format!("{name}={}", escaped(&String::from_utf8_lossy(value)))));
        set = rest;
    }
    (!pairs.is_empty()).then(|| pairs.join("+"))
}

fn escaped(value: &str) -> String {
    let mut text = String::new();
    for (index, char) in value.char_indices() {
        let at_edge = (index == 0 && matches!(char, ' ' | '#')) || (char == ' ' && index + 1 == value.len());
        if at_edge || matches!(char, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            text.push('\\');
        }
        text.push(char);
    }
    text
}

/// Takes one element off the front: its tag, its content, and what follows.
fn take(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn subject(parts: &[(DnType, &str)]) -> Option<String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        subject_of(certificate.der())
    }

    #[test]
    fn the_most_specific_part_comes_first() {
        let parts = [(DnType::OrganizationName, "Example, Inc."), (DnType::CommonName, "web")];
        assert_eq!(subject(&parts).as_deref(), Some("CN=web,O=Example\\, Inc."));
        assert_eq!(subject(&[]).as_deref(), Some(""));
    }

    #[test]
    fn what_is_no_certificate_names_nobody() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0x30, 0]] {
            assert_eq!(subject_of(bytes), None, "{bytes:?}");
        }
    }
}
