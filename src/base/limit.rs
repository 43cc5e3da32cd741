//! Every bound has a name, and it stands here with its reason.

/// Findings kept whole for one run; the rest are counted by code. Enough to fill any fix list a
/// person would read, and at most about a megabyte.
pub const FINDINGS_KEPT_MAX: usize = 1_000;

/// Units that one *process* transaction takes (design, section 7).
pub const PROCESS_UNITS_MAX: usize = 1_000;

/// Bytes of one cell. Longer than any field a record can hold, shorter than an accident.
pub const CELL_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one row, message or resource.
pub const UNIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Columns of one row: the widest published layout has 147 (CORE lettings 2026).
pub const COLUMNS_MAX: usize = 1_024;

/// Rows above the header that may be searched for it.
pub const HEADER_SEARCH_ROWS_MAX: usize = 30;

/// Depth of a JSON or XML tree: FHIR needs about a dozen.
pub const TREE_DEPTH_MAX: usize = 64;

/// Elements of one XML unit, and so memory for its tree: the widest published layout has a few
/// hundred, and a hundred thousand short ones are within the bytes of a unit.
pub const UNIT_ELEMENTS_MAX: usize = 50_000;

/// Attributes of one XML element: no published layout has more than a dozen.
pub const ATTRIBUTES_MAX: usize = 256;

/// Namespaces declared at once in an XML document.
pub const NAMESPACES_MAX: usize = 256;

/// Bytes of one XML tag that are looked into; an attribute that holds a whole document is longer.
pub const TAG_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an XML document type, which is passed over.
pub const DOCTYPE_BYTES_MAX: usize = 64 * 1024;

/// Bytes that one compressed file may unpack to, unless the configuration says otherwise.
pub const UNPACKED_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// How many times larger than its packed size a compressed file may unpack to.
pub const UNPACKED_RATIO_MAX: u64 = 200;

/// Bytes that any compressed file may unpack to whatever its packed size: a small sheet of blank
/// rows packs a thousandfold and does no harm.
pub const UNPACKED_RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of a small part of a workbook that is looked into: its sheets and styles.
pub const WORKBOOK_PART_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Formulas without a result that are known one by one; more of them are counted.
pub const UNCALCULATED_MAX: usize = 100_000;

/// Rows at which a common desktop flow stops: its pages have 256.
pub const DESKTOP_PAGE_ROWS: u64 = 256;

/// Rows of one sheet: all that Excel can hold.
pub const SHEET_ROWS_MAX: u32 = 1_048_576;

/// Letters (UTF-16 units) of one cell of a sheet: all that Excel can hold.
pub const SHEET_TEXT_MAX: usize = 32_767;

/// Bytes of one sealed piece of a kept file.
pub const KEPT_PIECE_BYTES: usize = 1024 * 1024;

/// Messages that one *collect* transaction takes: enough to share the cost of a commit, and well
/// within a lease.
pub const COLLECT_MESSAGES_MAX: usize = 500;

/// Milliseconds between two looks for messages that another collector holds.
pub const COLLECT_PAUSE_MS: u64 = 250;

/// Replacements of a pseudonym that are followed one after the other. A person is merged a few
/// times, and a study key is changed once a year.
pub const REPLACEMENTS_MAX: usize = 50;

/// Times a message is delivered before it becomes a dead letter.
pub const DELIVERIES_MAX: u32 = 5;

/// Seconds a claimed message or intent stays with its claimer, unless the configuration says
/// otherwise. A batch takes well under one; work of a process that was killed is taken up after so
/// long. Done twice, it has one effect.
pub const LEASE_S: i64 = 10;

/// Seconds of the shortest lease that may be set: a batch on a busy machine should end within it.
pub const LEASE_S_MIN: i64 = 1;

/// Seconds of the longest lease that may be set: nobody waits longer for what a killed process held.
pub const LEASE_S_MAX: i64 = 600;

/// Times a write transaction is begun again where another came in between: with a handful of
/// writers each of which wins once, the last needs as many tries as there are writers.
pub const STORE_TRIES_MAX: u32 = 20;

/// Connections kept open for the next reader, and as many for the next writer.
pub const CONNECTIONS_KEPT_MAX: usize = 8;

/// Keys looked up by one query, and rows inserted by one statement: 1,000 rows of 14 columns are
/// well below the 32,766 parameters that SQLite allows one statement.
pub const ROWS_A_STATEMENT_MAX: usize = 1_000;

/// Bytes of one message at the door. The largest is a whole-cohort table of some thousand rows;
/// RabbitMQ 4 takes 16 MiB at most.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Letters of a study in the name of its queue: AMQP names have 255 bytes, and ours have a prefix
/// and an ending.
pub const QUEUE_NAME_CHARS_MAX: usize = 100;

/// Milliseconds that a writer of the embedded queue waits for another: the longest transaction is
/// a window of messages, some tens of milliseconds.
pub const QUEUE_BUSY_WAIT_MS: u32 = 20_000;

/// Times that the creation of the embedded queue is tried while another process creates it.
pub const QUEUE_CREATE_TRIES_MAX: u32 = 200;

/// Messages sent to RabbitMQ before their confirms are waited for: enough to hide the round trip,
/// few enough to be sent again without thought.
pub const CONFIRM_WINDOW_MAX: usize = 500;

/// Seconds that a window's confirms are waited for: a broker that syncs to disk takes some
/// milliseconds, one that has run out of disk or memory takes for ever.
pub const CONFIRM_WAIT_S: u64 = 30;

/// Messages that RabbitMQ hands out before any is acknowledged. Those held when a process dies
/// count as delivered, so few.
pub const PREFETCH_MAX: u16 = 100;

/// Milliseconds after which a RabbitMQ queue that hands out nothing counts as empty. A message
/// that is there comes in one or two.
pub const CLAIM_WAIT_MS: u64 = 500;

/// Messages of the unroutable that a sender looks through for its own. There should be none.
pub const UNROUTABLE_LOOKS_MAX: usize = 10_000;

/// Seconds that one call to RabbitMQ may take, connecting included.
pub const BROKER_WAIT_S: u64 = 15;

/// Times that RabbitMQ is tried again when it does not answer, with pauses that double from
/// [`CONNECT_PAUSE_MS`]: about three seconds in all, so that a person at a terminal is told soon.
pub const CONNECT_TRIES_MAX: usize = 5;

/// The first pause, in milliseconds, before RabbitMQ is tried again.
pub const CONNECT_PAUSE_MS: u64 = 100;

/// The longest pause, in milliseconds, between two tries.
pub const CONNECT_PAUSE_MS_MAX: u64 = 2_000;

/// Times that RabbitMQ is tried again where it answered before: about a minute in all, in which a
/// broker that is restarted is back.
pub const RETURN_TRIES_MAX: usize = 34;

/// Seconds that all tries to reach RabbitMQ may take together: one that hangs answers none of them.
pub const RETURN_WAIT_S: u64 = 75;

/// Times that one piece of work is begun again after the connection to RabbitMQ broke.
pub const BREAKS_MAX: u32 = 2;

/// Times in a row that the release job publishes again what was not confirmed, before it gives up
/// for this night. The intents stay, and the next run takes them up.
pub const UNSENT_TRIES_MAX: u32 = 3;

/// Times that RabbitMQ hands out a dead letter to be looked at. Looking is no delivery, but must be
/// counted somewhere, since RabbitMQ 4 counts to 20 unless told.
pub const DEAD_LOOKS_MAX: u32 = 1_000_000;

/// Touched subjects that one *link* transaction takes: as many as *process* takes units, so that
/// they share its cost. Their neighbours come on top.
pub const LINK_SUBJECTS_MAX: i64 = 1_000;

/// Subjects of one block that are compared with one another; a block with more is a placeholder
/// value (privacy.md, 4.2).
pub const BLOCK_SUBJECTS_MAX: usize = 2_000;

/// Touched people that one transaction of the *release* step takes.
pub const RELEASE_PEOPLE_MAX: i64 = 500;

/// People of whom everything that is known is held at once: some hundred records each, so about
/// thirty megabytes.
pub const FILES_READ_MAX: usize = 100;

/// Intents that the release job claims and publishes at once.
pub const INTENTS_CLAIMED_MAX: i64 = 500;

/// Merges followed from one person to the one that stands.
pub const MERGES_FOLLOWED_MAX: usize = 1_000;

/// Answers that the release job reads from the queue back at once.
pub const ANSWERS_CLAIMED_MAX: usize = 100;

/// Files of one feed's folder. A folder with more is the wrong one.
pub const FEED_FILES_MAX: usize = 10_000;

/// Folders within folders under a site's mappings: `codes/<family>/` is two.
pub const MAPPING_FOLDERS_MAX: usize = 4;

/// Events that one request may hold: as many as one transaction of the second step takes, so that
/// a request is processed whole.
pub const POST_EVENTS_MAX: usize = PROCESS_UNITS_MAX;

/// Requests that are put into one batch to be read together, and bytes of them: some milliseconds
/// of the database's write lock, so that others are received meanwhile.
pub const GATHER_DELIVERIES_MAX: i64 = 500;

/// Bytes of the requests that are put into one batch.
pub const GATHER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Rows of a file that are written back with their marks: more than any tracker has, and a workbook
/// of them is held in memory.
pub const MARKED_ROWS_MAX: u64 = 100_000;

/// Seconds in which an uploaded file must have arrived: 64 MiB over a slow line.
pub const UPLOAD_WAIT_S: u64 = 300;

/// Seconds that a signature is good for, before and after its time: the tolerance of the Standard
/// Webhooks libraries.
pub const SIGNATURE_AGE_S_MAX: i64 = 300;

/// Seconds that a worker keeps a feed to itself. It renews the lease with every transaction, none
/// of which takes a tenth as long; a worker that was killed is followed by another after so long.
pub const WORKER_LEASE_S: i64 = 30;

/// Milliseconds between two rounds of a worker: long enough that events which come together are
/// read together, short enough that nobody waits for a receipt.
pub const WORKER_PAUSE_MS: u64 = 500;

/// Seconds between two rounds of a worker at most, where they fail.
pub const WORKER_PAUSE_S_MAX: u64 = 60;

/// Requests that one transaction keeps: as many as can wait on the connections of a busy gateway,
/// few enough to stay within a few milliseconds.
pub const JOURNAL_GROUP_MAX: usize = 256;

/// Requests that may wait to be kept; one more is told to come again.
pub const JOURNAL_WAITING_MAX: usize = 1_024;

/// Bytes of bodies that may be held at once, by all requests together.
pub const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Seconds in which a body must have arrived.
pub const BODY_WAIT_S: u64 = 10;

/// Seconds in which the head of a request must have arrived.
pub const HEAD_WAIT_S: u64 = 5;

/// Seconds that a connection may rest between two requests.
pub const KEEP_ALIVE_S: u64 = 60;

/// Places of trees and messages that `mapping coverage` tells apart. FHIR's largest resources have
/// some hundred; more than this are values in the place of names.
pub const COVERAGE_PATHS_MAX: usize = 10_000;

/// Different words of one column that a profile counts. The longest code list has some sixty; a
/// column with more is no column of codes.
pub const PROFILE_WORDS_MAX: usize = 200;

/// Columns and places of one file that a profile tells apart.
pub const PROFILE_COLUMNS_MAX: usize = 2_000;

/// Units that `mapping draft` looks at: enough for every code of a year to turn up.
pub const DRAFT_UNITS_MAX: u64 = 20_000;

/// Rows of one sheet that are remembered by what they say, to find one that lost its id: all that
/// Excel can hold.
pub const ROW_MARKS_MAX: usize = 1_048_576;

/// Records that `convert` holds at once to join what is known of one person: a caseload of tens of
/// thousands, some hundred megabytes.
pub const CONVERT_RECORDS_MAX: usize = 200_000;

/// Rows that a new tracker has ready on each sheet: more than any programme has, and still quick to
/// open.
pub const FORM_ROWS_MAX: u32 = 10_000;
