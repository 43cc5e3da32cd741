//! The one table of finding codes: name, usual severity, what it means, what to do.
//!
//! A test holds that each code here is raised by some test or mapping case.

use super::Severity;

macro_rules! codes {
    ($($variant:ident, $name:literal, $severity:ident, $meaning:literal, $advice:literal;)*) => {
        /// A kind of fault. The doc of each is its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $meaning] $variant,)* }

        impl Code {
            /// Every code, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name printed and stored: `family/what`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The usual severity.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What the code means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do about it, in one sentence.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }

            /// The code of that name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name)
            }
        }
    };
}

codes! {
    FileEmpty, "file/empty", Error, "the file holds nothing", "send the file again; check that the export finished";
    FileBinary, "file/binary", Error, "the file is not of the declared format", "check that the right file was sent and that it was saved in the format the mapping names";
    FileTruncated, "file/truncated", Error, "the file ends in the middle of a row or message", "send the whole file again";
    FileTooLarge, "file/too-large", Error, "the file is larger than the limit allows", "split the file, or raise the limit in wayleave.toml";

    CharsetDecided, "charset/decided", Note, "the encoding was decided by reading the whole file", "declare the encoding in the mapping so that it is checked";
    CharsetMismatch, "charset/mismatch", Error, "the bytes are not in the declared encoding", "save the file in the declared encoding, or change `encoding` in the mapping";
    CharsetUndecided, "charset/undecided", Error, "the bytes fit none of the encodings that are read", "save the file as UTF-8";

    SchemaType, "schema/type", Error, "a field is of another type than the record allows", "correct the value in the sender's system";
    SchemaPattern, "schema/pattern", Error, "a field does not have the shape the record asks for", "correct the value in the sender's system";
    SchemaEnum, "schema/enum", Error, "a field is outside the values the record allows", "correct the value, or the code list of the mapping";
    SchemaRange, "schema/range", Error, "a number or length is outside what the record allows", "correct the value in the sender's system";
    SchemaRequired, "schema/required", Error, "a field the record needs is missing", "fill the column it comes from";
    SchemaOther, "schema/invalid", Error, "the record does not keep to its schema", "correct the value in the sender's system";
}
