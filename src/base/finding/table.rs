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
    FileRowCount, "file/row-count", Error, "the file holds more or fewer rows than its manifest promises", "ask the sender to send the file and its manifest again; nothing of it was taken";
    FileTooLarge, "file/too-large", Error, "the file is larger than the limit allows", "split the file, or raise the limit in wayleave.toml";

    CharsetDecided, "charset/decided", Note, "the encoding was decided by reading the whole file", "declare the encoding in the mapping so that it is checked";
    CharsetMismatch, "charset/mismatch", Error, "the bytes are not in the declared encoding", "save the file in the declared encoding, or change `encoding` in the mapping";
    CharsetUnwritable, "charset/unwritable", Error, "a letter cannot be written in the target's encoding", "write the file as UTF-8, or ask the receiver whether they can take it";
    CharsetUndecided, "charset/undecided", Error, "the bytes fit none of the encodings that are read", "save the file as UTF-8";

    BlankRows, "file/blank-rows", Note, "rows with nothing in them were passed over", "nothing to do, unless rows are missing";
    UnitTooLarge, "file/unit-too-large", Error, "one row, message or resource is larger than any can be", "look there for a quote, bracket or line break that is missing";

    HeaderMissing, "header/missing", Error, "the row with the column names is not where it should be", "check that the right file was sent, and that nobody renamed or removed its column names";
    HeaderNumbers, "header/numbers", Error, "the columns are numbered for another layout than the declared one", "use the template of the collection year that the mapping is for";
    HeaderDuplicate, "header/duplicate", Error, "a column name stands more than once, so which is meant cannot be known", "give each column a name of its own, or leave one of them out of the export";

    CsvSeparator, "csv/separator", Note, "the separator between cells was detected", "declare `separator` in the mapping so that it is checked";
    CsvWrongSeparator, "csv/wrong-separator", Error, "the cells are not separated as the mapping declares", "export again with the declared separator, or change `separator` in the mapping";
    CsvFieldCount, "csv/field-count", Error, "a row has more or fewer cells than there are column names", "look in the row for a separator or line break that belongs inside a cell: such a cell needs double quotes round it";
    CsvExtraLine, "csv/extra-line", Note, "a line that the exporting program added was left out", "nothing to do; `sqlcmd -W -h -1` and `SET NOCOUNT ON` leave such lines out";
    CsvNullWord, "csv/null-word", Note, "the word NULL stands in place of blank cells", "nothing to do; export blanks as blanks if you can";
    DoorUnknown, "door/unknown", Error, "a message is of a type that this side does not read", "bring both sides to the same version; the message is among the dead letters";
    DoorInvalid, "door/invalid", Error, "a message does not fit its published schema", "the message is among the dead letters; mend the sender and release again";
    DoorMisdirected, "door/misdirected", Error, "a message stands in the queue of another study", "mend the routing of the broker; the message is among the dead letters";
    AnswerRefused, "door/answer-refused", Error, "what came back on the queue is not signed by the evaluation side, so it counts for nothing", "it is among the dead letters of the queue back; check `evaluation_key` of the study, and ask the evaluation side whether they sent it";
    AnswerUnchecked, "door/answer-unchecked", Warning, "answers wait that cannot be checked, because the evaluation side's public key is not here", "put the `evaluation.pub` that they sent where `evaluation_key` of the study names it, and release again";

    ExtractFile, "extract/file", Error, "an extract lacks a file, or holds one that its manifest does not name", "take the extract again from where it was built";
    ExtractChanged, "extract/changed", Error, "a file of an extract is not the one that was built", "take the extract again from where it was built";
    ExtractProof, "extract/proof", Error, "it cannot be shown that the release stands in the gateway's log: the signed head or the proof does not hold", "take the extract again from where it was built; if it is the same there, ask the gateway which key signs its log";
    ExtractShape, "extract/shape", Error, "a table of an extract does not keep to its data package", "take the extract again from where it was built";

    JsonSyntax, "json/syntax", Error, "the text is not JSON", "check that the export finished and that nobody edited the file by hand";
    JsonTooDeep, "json/too-deep", Error, "a tree is nested deeper than any record is", "check that the right file was sent";
    JsonTooMany, "json/too-many", Error, "a unit holds more values than any record does", "check that the right file was sent, or correct `units` in the mapping";
    JsonShape, "json/shape", Error, "the units are not where the mapping says they are", "check that the right file was sent, or correct `units` or `body` in the mapping";
    FhirUnknown, "fhir/unknown", Note, "a resource or element is not among those known of FHIR R4", "nothing to do, unless the mapping reads it";
    FhirCodeSystem, "fhir/code-system", Note, "a code is not one of the code system it names", "send the code with the system it belongs to; it was read as if it were";
    FhirNoResource, "fhir/no-resource", Error, "an entry holds no FHIR resource", "send each entry with its whole resource, `resourceType` included";

    XmlSyntax, "xml/syntax", Error, "the text is not XML", "check that the export finished and that nobody edited the file by hand";
    XmlTooDeep, "xml/too-deep", Error, "an element is nested deeper than any record is", "check that the right file was sent";
    XmlTooMany, "xml/too-many", Error, "an element holds more elements or attributes than any record does", "check that the right file was sent, or correct `units` in the mapping";
    XmlShape, "xml/shape", Error, "the document is not the one that the mapping describes", "check that the right file was sent, or correct `units` or `namespace` in the mapping";
    XmlDoctype, "xml/doctype", Warning, "the document brings a document type, which is never read", "export without a document type (DOCTYPE)";
    XmlEntity, "xml/entity", Error, "a unit uses an entity that is not one of the five of XML", "export with the letters themselves in place of entities";
    XmlRepeated, "xml/repeated", Error, "an element stands several times where the mapping reads one, so which is meant cannot be known", "select one in the mapping by its number or a value, such as `phone[0]` or `phone[@use=home]`";

    Hl7v2Head, "hl7v2/head", Error, "a message does not begin with `MSH` and the characters that cut it", "check the sending interface: each message begins with `MSH|^~\\&`";
    Hl7v2TooMany, "hl7v2/too-many", Error, "a message holds more fields and parts of fields than any does", "check the sending interface: documents belong beside a message, not in its fields";
    Hl7v2Charset, "hl7v2/charset", Error, "a message declares another character set than the file it stands in", "send messages of one character set a file; `UNICODE UTF-8` in MSH-18 is read everywhere";
    Hl7v2NotLive, "hl7v2/not-live", Error, "a message is marked as one for tests or training", "send it to a test gateway, or correct MSH-11 in the sending interface";
    Hl7v2Segment, "hl7v2/segment", Error, "a message holds a line that is no segment", "check the sending interface: a line break inside a value must be written as `\\.br\\`";

    XlsxHidden, "xlsx/hidden-sheet", Note, "a sheet of the workbook is hidden", "unhide it, or delete it, so that everyone sees what is sent";
    XlsxSheetMissing, "xlsx/sheet-missing", Error, "a sheet that the mapping reads is not in the workbook", "check that the right workbook was sent and that nobody renamed the sheet";
    XlsxLocked, "xlsx/locked", Error, "the workbook needs a password", "take the password off in Excel (File, Info, Protect Workbook) and send it again by a safe way";
    XlsxOld, "xlsx/old-format", Error, "the workbook is in the old .xls format", "open it in Excel and save it as Excel Workbook (.xlsx)";
    XlsxCellError, "xlsx/cell-error", Error, "a cell that is used holds an Excel error", "mend the formula, or type the value";
    XlsxMerged, "xlsx/merged-cells", Warning, "cells of the sheet are merged, so all but the first of them are blank", "take the merging off (Home, Merge & Center) and fill every cell";
    XlsxPivot, "xlsx/pivot-cache", Warning, "a pivot table brings its own hidden copy of the rows it was made from", "delete the pivot table, or paste its values into a new workbook, so that everyone sees what is sent";
    XlsxUncalculated, "xlsx/not-calculated", Error, "a formula that is used was never calculated", "open the workbook in Excel, let it calculate (F9), save it and send it again";
    XlsxColour, "xlsx/colour", Warning, "some cells of a column are coloured and others are not", "say in a column of its own what the colour means";
    RoundCount, "file/round-count", Warning, "the rows are exactly 256 or a multiple of it, where a common desktop flow stops", "check in the sender's system that there are no more; in the flow, turn pagination on";
    XlsxTooLong, "xlsx/too-long", Error, "a text or sheet is longer than Excel can hold", "write the records as CSV, or split them";
    XlsxStray, "xlsx/stray-cell", Warning, "a cell stands to the right of the last column name and is not read", "give the column a name, or move the remark elsewhere";

    PackedUnpacked, "packed/unpacked", Note, "the file was unpacked", "nothing to do";
    PackedCount, "packed/file-count", Error, "a packed file holds none or several files", "pack one file only, or send them unpacked";
    PackedLocked, "packed/locked", Error, "a packed file needs a password or is packed in a way that is not read", "pack it as an ordinary ZIP file without a password and send it by a safe way";
    MapBlank, "map/blank", Error, "a cell that has to be filled is blank", "fill the cell in the sender's system";
    MapColumnMissing, "map/column-missing", Error, "a column the mapping reads is not in the file", "name the column as the mapping does, or change the mapping";
    MapCodeKept, "map/code-kept", Warning, "a value outside the code list was kept as text", "add the value to the code list";
    MapCostMinus, "map/cost-minus", Warning, "a cost has a minus before it, and was read without it", "take the minus away in the sender's system, or take the row out if it is a refund";
    MapDate, "map/date", Error, "a date is not a day that exists in the declared form", "correct the date in the sender's system";
    MapDateInstant, "map/date-instant", Note, "an instant stands where a day belongs, and its day in London was taken", "send the day alone, as `YYYY-MM-DD`";
    MapDatePartial, "map/date-partial", Error, "a date lacks its day or month", "enter the whole date in the sender's system";
    MapDateTime, "map/date-time", Error, "a time is not one that exists in the declared form", "correct the time in the sender's system";
    MapIdCarried, "map/id-carried", Note, "another system's id stands where the target's layout wants its own", "tell the receiver that it is not their id, or convert a file that has theirs";
    MapInteger, "map/integer", Error, "a number is not whole", "correct the number in the sender's system";
    MapKeyMissing, "map/key-missing", Error, "every part of a record's key is blank", "fill the columns that tell records apart";
    MapWiderCode, "map/wider-code", Note, "a value was written as a code that stands for more than it", "nothing, if the partner can do without the difference";
    MapLossyCode, "map/lossy-code", Error, "several source codes stand for one value, and none is preferred for the way back", "mark one row of the code list as preferred";
    MapMoney, "map/money", Error, "an amount is not pounds and pence", "correct the amount in the sender's system";
    MapNhsCheckDigit, "map/nhs-check-digit", Error, "the check digit of an NHS number is wrong", "look the number up again; two digits may be swapped";
    MapNhsImplausible, "map/nhs-implausible", Error, "an NHS number was never issued", "look the number up again; a filler was entered";
    MapNhsPadded, "map/nhs-padded", Warning, "leading noughts were put back before an NHS number that is kept as a number", "export the number as text from the sender's system";
    MapNhsTest, "map/nhs-test", Error, "an NHS number is of the range kept for tests, and this gateway is live", "take the test patient out of the sender's live system";
    MapNhsShape, "map/nhs-shape", Error, "an NHS number does not have ten digits", "look the number up again";
    MapNotWritten, "map/not-written", Note, "the target's layout has no place for a field", "nothing, if the partner has no use for it";
    MapNumber, "map/number", Error, "a number cannot be read", "correct the number in the sender's system";
    MapNumberForText, "map/number-for-text", Error, "a number cell stands where a text belongs, so leading noughts may be lost", "format the column as text in the sender's workbook and enter the values again";
    MapPostcode, "map/postcode", Error, "a postcode does not have the shape of one", "correct the postcode in the sender's system";
    MapRowWithoutId, "map/row-without-id", Error, "a row without its own id differs from another only in its dates", "is it the same thing with a corrected date? Then correct the row that is there. If it is another, enter it on a free row";
    MapSplit, "map/split", Warning, "there were more records than are held at once, so what is known of one person may stand in several rows", "split the file by person, or convert in parts";
    MapSeveral, "map/several", Error, "several values stand where the mapping selects one, and they differ, so which is meant cannot be known", "leave one in the sender's system, or select it in the mapping by something that only it has";
    MapShape, "map/shape", Error, "a value does not have the declared shape", "correct the value in the sender's system";
    MapSubmission, "map/submission", Error, "a row breaks a rule of its data set that looks at other elements, rows or tables", "look the rule up by its code in the owner's list, and correct the row in the sender's system";
    MapSubjectMissing, "map/subject-missing", Error, "the unit does not say whom it is about", "fill the sender's own id of the person";
    MapType, "map/type", Error, "a cell holds another type than the mapping expects", "format the column as the mapping expects";
    MapUnknownCode, "map/unknown-code", Error, "a value is outside the code list", "correct the value, or add it to the code list";
    MapYesNo, "map/yes-no", Error, "a cell is neither yes nor no", "correct the cell in the sender's system";
    WebhookEnvelope, "webhook/envelope", Error, "a line of signed events is not an event with its id, time, signature and body", "send the events as they were received";
    WebhookSignature, "webhook/signature", Error, "the signature of an event does not hold, so nobody knows who sent it", "check that the `secrets` file holds the secret the sender signs with";
    RecordConflict, "record/conflict", Error, "two rows of one file speak of the same thing and say different things", "correct or leave out one of the rows in the sender's system; the first of them stands";
    RecordInDoubt, "record/in-doubt", Error, "it cannot be told which of the things known of a person is meant", "is it one of them? Then correct that row, or leave this one out. If it is another, say what tells it apart";
    RecordTwin, "record/twin", Warning, "two rows with ids of their own say the same thing", "if it was entered twice, delete one of the rows; if they are two, say what tells them apart";
    SnapshotShrunk, "snapshot/shrunk", Warning, "more than half of what the last file held is not in this one", "check that the export was complete; if it was not, send a complete one and everything comes back";
    SnapshotDoubt, "snapshot/doubt", Warning, "records are missing from a full file that has rows which cannot be told apart", "correct the rejected rows in the sender's system; what is found again comes back";

    SchemaType, "schema/type", Error, "a field is of another type than the record allows", "correct the value in the sender's system";
    SchemaPattern, "schema/pattern", Error, "a field does not have the shape the record asks for", "correct the value in the sender's system";
    SchemaEnum, "schema/enum", Error, "a field is outside the values the record allows", "correct the value, or the code list of the mapping";
    SchemaRange, "schema/range", Error, "a number or length is outside what the record allows", "correct the value in the sender's system";
    SchemaRequired, "schema/required", Error, "a field the record needs is missing", "fill the column it comes from";
    SchemaOther, "schema/invalid", Error, "the record does not keep to its schema", "correct the value in the sender's system";

    LinkInDoubt, "link/in-doubt", Warning, "it is in doubt whether two subjects are one person", "compare them in the sources and correct the one that is wrong; nothing of either is released until then";
    LinkBlockTooLarge, "link/block-too-large", Warning, "too many subjects share one value to compare them all", "look for a placeholder, such as one birth date given to everybody";

    ConsentUnlinked, "consent/unlinked", Warning, "a consent cannot be tied to a person with certainty, so it releases nothing", "complete name, birth date or NHS number of the person it is for";

    ReleaseIdentifier, "release/identifier", Error, "a field about to be released holds one of the person's own identifiers", "correct the field in the sender's system; the record is withheld until then";
    ReleaseCode, "release/code", Warning, "a field holds no code that the protocol lets through, so it is left out", "add the code to the protocol or the code list, or correct the value";
    ReleaseSettingUnknown, "release/setting-unknown", Warning, "a field names a care home, landlord or provider that no setting record knows, so it is left out", "add the setting to the tracker's list, spelt the same way";
    ReleaseSourcesDisagree, "release/sources-disagree", Note, "sources disagree about a person; the choice follows the declared order", "correct the source that is wrong";
}
