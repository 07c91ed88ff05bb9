//! The bodies of the fuzz targets in `fuzz/`, run on random bytes by every test run.

mod reply;
mod request;
mod session;

use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_reply_is_decoded_or_refused(script in vec(any::<u8>(), 0..200)) {
        reply::run(&script);
    }

    #[test]
    fn any_request_is_decoded_or_refused(op in 0_u8..110, body in vec(prop_oneof![any::<u8>(), Just(0)], 0..200)) {
        let header = [0, 0, 0, 1, 0, 0, 0, op];
        request::run(&[&header, &body[..]].concat());
        request::run(&body);
    }

    #[test]
    fn any_script_leaves_a_session_sound(script in vec(any::<u8>(), 0..600)) {
        session::run(&script);
    }

    /// Most random scripts never get past the handshake; these begin with it.
    #[test]
    fn any_script_after_a_handshake_leaves_a_session_sound(
        options in 0_u8..8,
        script in vec(any::<u8>(), 0..600),
    ) {
        let handshake = [options, 0, 3, 0, 17, 0];
        session::run(&[&handshake, &script[..]].concat());
    }
}
