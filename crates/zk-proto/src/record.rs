//! Macros that let a wire record be written as its layout.

/// Declares a record whose encoding is its fields, in order.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name { $($(#[$field_meta])* pub $field: $ty,)+ }

        impl $crate::codec::Codec for $name {
            const BYTES_MIN: usize = 0 $(+ <$ty as $crate::codec::Codec>::BYTES_MIN)+;

            fn encode(&self, out: &mut ::bytes::BytesMut) {
                $($crate::codec::Codec::encode(&self.$field, out);)+
            }

            fn decode(reader: &mut $crate::reader::Reader) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self { $($field: $crate::codec::Codec::decode(reader)?,)+ })
            }
        }
    };
}

/// Declares a record of numbers, whose encoding is its fields in order and has always the same size. It is
/// written and read in one piece.
macro_rules! fixed_record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis struct $name { $($(#[$field_meta])* pub $field: $ty,)+ }

        impl $crate::codec::Codec for $name {
            const BYTES_MIN: usize = 0 $(+ <$ty as $crate::codec::Codec>::BYTES_MIN)+;

            fn encode(&self, out: &mut ::bytes::BytesMut) {
                let mut bytes = [0; <Self as $crate::codec::Codec>::BYTES_MIN];
                let mut rest = &mut bytes[..];
                $($crate::codec::Fixed::put(self.$field, &mut rest);)+
                out.extend_from_slice(&bytes);
            }

            fn decode(reader: &mut $crate::reader::Reader) -> Result<Self, $crate::codec::DecodeError> {
                let bytes: [u8; <Self as $crate::codec::Codec>::BYTES_MIN] = reader.array()?;
                let mut rest = &bytes[..];
                Ok(Self { $($field: $crate::codec::Fixed::get(&mut rest),)+ })
            }
        }
    };
}

/// Declares an enumeration that travels as an `i32`.
macro_rules! coded {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant = $code,)+ }

        impl $name {
            /// Returns the number used on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                self as i32
            }

            /// Returns what a number on the wire stands for, or `None` if it is not known here.
            #[must_use]
            pub const fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::codec::Codec for $name {
            const BYTES_MIN: usize = 4;

            fn encode(&self, out: &mut ::bytes::BytesMut) {
                $crate::codec::Codec::encode(&self.code(), out);
            }

            fn decode(reader: &mut $crate::reader::Reader) -> Result<Self, $crate::codec::DecodeError> {
                let code = <i32 as $crate::codec::Codec>::decode(reader)?;
                Self::from_code(code)
                    .ok_or($crate::codec::DecodeError::UnknownCode { field: stringify!($name), code })
            }
        }
    };
}

pub(crate) use {coded, fixed_record, record};
