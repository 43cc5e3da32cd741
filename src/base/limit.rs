//! Every bound has a name, and it stands here with its reason.

/// Findings kept whole for one run; the rest are counted by code. Enough to fill any fix list a
/// person would read, and at most about a megabyte.
pub const FINDINGS_KEPT_MAX: usize = 1_000;

/// Units that one *process* transaction takes. Keys are looked up by their hashes, so that a
/// transaction changes pages all over the indexes, and each costs the same for one row of it or for
/// ten. More than four thousand would hold up whoever waits to keep an event on SQLite for longer than
/// some tenths of a second.
pub const PROCESS_UNITS_MAX: usize = 4_000;

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

/// Elements of one XML unit, values of one in JSON, parts of fields of one message, and so memory
/// for its tree: the widest published layout has a few hundred, and a million short ones are within
/// the bytes of a unit.
pub const UNIT_ELEMENTS_MAX: usize = 50_000;

/// Items of one unit each of which is a record: a tenancy has a few tenants, and a list of everybody
/// in a house is no tenancy.
pub const EACH_ITEMS_MAX: usize = 100;

/// Workers and the like that are known to stand in a file already when it is written: a trust has some
/// thousands, and one more is written again.
pub const NAMED_MAX: usize = 10_000;

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

/// Bytes of a small part of a workbook that is looked into: the names of its sheets and parts.
pub const WORKBOOK_PART_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Styles of a workbook's cells: Excel can tell 65,490 apart.
pub const STYLES_MAX: usize = 65_536;

/// Bytes of a workbook's shared texts that are held in memory; the rest is put aside in a private
/// file. A tracker's fit, and a million rows' do not.
pub const SHARED_TEXT_BYTES_HELD: usize = 8 * 1024 * 1024;

/// Texts that the cells of a workbook share: sixteen for each row that a sheet can have, and some
/// ten megabytes to know where each is.
pub const SHARED_TEXTS_MAX: usize = 16 * 1024 * 1024;

/// Files inside one ZIP file: all that one of the ordinary form can name. A workbook has some dozen.
pub const ARCHIVE_FILES_MAX: u64 = 65_535;

/// Rows at which a common desktop flow stops: its pages have 256.
pub const DESKTOP_PAGE_ROWS: u64 = 256;

/// Rows of one sheet: all that Excel can hold.
pub const SHEET_ROWS_MAX: u32 = 1_048_576;

/// Letters (UTF-16 units) of one cell of a sheet: all that Excel can hold.
pub const SHEET_TEXT_MAX: usize = 32_767;

/// Bytes of one sealed piece of a kept file.
pub const KEPT_PIECE_BYTES: usize = 1024 * 1024;

/// People looked at in one transaction for whether a partner is to be told.
pub const EXCHANGE_PEOPLE_MAX: i64 = 100;

/// Dispatches of one partner that are claimed at once: few, since each may take as long as a request
/// may, and nobody else sends them meanwhile.
pub const DISPATCHES_CLAIMED_MAX: i64 = 4;

/// Seconds that claimed dispatches stay with the sender that claimed them: longer than as many
/// requests can take, so that no two send one person's at once.
pub const DISPATCH_LEASE_S: i64 = 300;

/// Seconds to wait before each try of a message, the first at once (Standard Webhooks, spec 1.0,
/// "Deliverability and reliability"): a day and more in all, then somebody has to look.
pub const WEBHOOK_TRIES_S: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Seconds that a receiver may ask to be left alone for at once: as long as the longest wait between
/// two tries.
pub const RETRY_AFTER_S_MAX: i64 = 86_400;

/// Milliseconds between two looks for what is due to partners.
pub const EXCHANGE_PAUSE_MS: u64 = 1_000;

/// Bytes of an agreement file: some pages.
pub const AGREEMENT_BYTES_MAX: u64 = 256 * 1024;

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

/// Seconds in which a PostgreSQL server must take a connection and begin to talk.
pub const DATABASE_CONNECT_WAIT_S: u64 = 10;

/// Seconds for which the machine of a PostgreSQL server may be silent, where it owes an answer, before its
/// connection counts as lost. Left to itself the system waits a quarter of an hour, or two hours where
/// everything that was sent had arrived.
pub const DATABASE_SILENT_S: u64 = 60;

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

/// Touched subjects that one *link* transaction takes. People's ids are random, so that one changes
/// pages all over their indexes, and each page costs the same for one row of it or for ten: so as
/// many as hold other writers up for no longer than a chunk of units does. Their neighbours come on
/// top.
pub const LINK_SUBJECTS_MAX: i64 = 4_000;

/// Subjects of one block that are compared with one another; a block with more is a placeholder
/// value (privacy.md, 4.2).
pub const BLOCK_SUBJECTS_MAX: usize = 2_000;

/// Touched people that one transaction of the *release* step takes: what is known of them is read
/// some at a time ([`FILES_READ_MAX`]).
pub const RELEASE_PEOPLE_MAX: i64 = 2_000;

/// People of whom everything that is known is held at once: some hundred records each, so about
/// thirty megabytes.
pub const FILES_READ_MAX: usize = 100;

/// Intents that the release job claims and publishes at once.
pub const INTENTS_CLAIMED_MAX: i64 = 500;

/// Merges followed from one person to the one that stands.
pub const MERGES_FOLLOWED_MAX: usize = 1_000;

/// Answers that the release job reads from the queue back at once.
pub const ANSWERS_CLAIMED_MAX: usize = 100;

/// Messages that one answer may name: those of one *collect* transaction.
pub const MESSAGES_ANSWERED_MAX: usize = COLLECT_MESSAGES_MAX;

/// Hours after which what the evaluation side has not acknowledged is sent again, unless the
/// configuration says otherwise: a collector that runs every night has had three chances.
pub const RESEND_HOURS: i64 = 72;

/// Seconds within which the evaluation side says that a notice of withdrawal came: ten days.
pub const NOTICE_ACKNOWLEDGED_S: i64 = 864_000;

/// Seconds within which it certifies that the person was removed: thirty days.
pub const NOTICE_REMOVED_S: i64 = 2_592_000;

/// Files of one feed's folder. A folder with more is the wrong one.
pub const FEED_FILES_MAX: usize = 10_000;

/// Entries of any kind in a place that is looked at: with archives and other feeds' files beside,
/// ten times the files of one.
pub const PLACE_ENTRIES_MAX: usize = 100_000;

/// Seconds in which a folder answers one question: a share whose disk has to wake up, or whose server
/// is begun anew.
pub const FOLDER_ANSWER_WAIT_S: u64 = 30;

/// Seconds in which a file is moved into an archive: one of some gigabytes may have to be copied.
pub const FOLDER_MOVE_WAIT_S: u64 = 900;

/// Questions to folders that may be unanswered at once, in all: each holds a thread for as long as a
/// dead share says nothing.
pub const FOLDER_THREADS_MAX: usize = 64;

/// Bytes that are read of a file at once, and pieces that are read ahead: a megabyte.
pub const FOLDER_PIECE_BYTES: usize = 256 * 1024;
/// See [`FOLDER_PIECE_BYTES`].
pub const FOLDER_PIECES_MAX: usize = 4;

/// Names that an archive tries for a file: a name that a thousand files have had is the wrong name.
pub const ARCHIVE_NAMES_MAX: u32 = 1_000;

/// Bytes of a manifest: some thousand lines of it.
pub const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// Manifests in one place: one a day for some years, where nobody moves them away.
pub const MANIFESTS_MAX: usize = 1_000;

/// Milliseconds within which a file may be changed twice and look the same: the times of SFTP and of
/// some file systems are in seconds, and FAT's in two of them.
pub const SAME_SECOND_MS: i64 = 2_000;

/// Seconds that `wayleave sync` waits to look again at files that may still be growing; what needs
/// longer is taken by a later sync.
pub const LOOK_WAIT_S_MAX: i64 = 120;

/// Seconds in which a server takes a connection, keys are agreed on and the account is let in.
pub const SFTP_CONNECT_WAIT_S: u64 = 20;

/// Seconds in which a server answers one request: a disk that has to wake up first.
pub const SFTP_ANSWER_WAIT_S: u64 = 60;

/// Seconds of silence after which a server is asked whether it is still there; three times unanswered
/// it is gone.
pub const SFTP_KEEPALIVE_S: u64 = 15;

/// Times that a server is tried again when it does not answer or breaks off, with pauses that double
/// from [`SFTP_PAUSE_MS`]: some seven seconds, in which a server that is restarted is back.
pub const SFTP_TRIES_MAX: usize = 4;

/// The first pause, in milliseconds, before a server is tried again.
pub const SFTP_PAUSE_MS: u64 = 500;

/// Bytes asked for by one read over SFTP: what every server grants (draft-ietf-secsh-filexfer-02,
/// section 3: packets of 34,000 bytes).
pub const SFTP_READ_BYTES: usize = 32 * 1024;

/// Reads that are on their way at once, so that the way is not waited for: half a megabyte.
pub const SFTP_READS_MAX: usize = 16;

/// Bytes of a private key, a passphrase or a file of known hosts. The last may list a whole estate.
pub const SFTP_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Folders within folders under a site's mappings: `codes/<family>/` is two.
pub const MAPPING_FOLDERS_MAX: usize = 4;

/// Events that one request may hold: no more than one transaction of the second step takes, so that
/// a request is processed whole.
pub const POST_EVENTS_MAX: usize = 1_000;

/// Requests that are put into one batch to be read together, and bytes of them: some milliseconds
/// of the database's write lock, so that others are received meanwhile.
pub const GATHER_DELIVERIES_MAX: i64 = 500;

/// Bytes of the requests that are put into one batch.
pub const GATHER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Rows of a file that are written back with their marks: more than any tracker has, and a workbook
/// of them is held in memory.
pub const MARKED_ROWS_MAX: u64 = 100_000;

/// Units that one command replays: they are held in memory until the rest of their file has been
/// read, about 2 KB each.
pub const REPLAY_UNITS_MAX: usize = 10_000;

/// Units that one request may name one by one: SQLite takes 32,766 values in a statement.
pub const NAMED_UNITS_MAX: usize = 10_000;

/// Later files that are looked at for one that was read: the last of them decides.
pub const LATER_FILES_MAX: i64 = 20;

/// Seconds for which a browser that showed a key once is let in: long enough to work through a list,
/// short enough for a machine that is shared.
pub const PASS_S: i64 = 3_600;

/// Seconds between two notes of a worker that it is alive: a write each.
pub const WORKER_NOTE_S: i64 = 10;

/// Seconds without a note after which a worker counts as gone: its longest pause after a failure,
/// and some.
pub const WORKER_SILENT_S_MAX: i64 = 120;

/// Seconds for which the broker's port is knocked at by the health page.
pub const KNOCK_WAIT_S: u64 = 2;

/// Bytes free on the database's disk below which the health page warns: a night's files and their
/// records fit into it.
pub const DISK_LOW_BYTES: u64 = 1024 * 1024 * 1024;

/// Bytes free below which nothing more is taken: what is there needs room to be worked through.
pub const DISK_FULL_BYTES: u64 = 32 * 1024 * 1024;

/// Hours for which messages may wait to be released before the health page warns: a job a night.
pub const UNSENT_HOURS_MAX: i64 = 30;

/// Milliseconds between two looks, by what takes events or messages, at which mappings are live: soon
/// enough after one is promoted, and nothing beside the events of that time.
pub const MAPPING_LOOK_MS: i64 = 2_000;

/// Places that are named of one cause of being set aside: enough to see which rows are meant.
pub const CAUSE_PLACES_MAX: usize = 12;

/// Places that are kept of one sort of difference between two mappings: enough to look at a few.
pub const SHADOW_EXAMPLES_MAX: usize = 20;

/// Seconds in which an uploaded file must have arrived: 64 MiB over a slow line.
pub const UPLOAD_WAIT_S: u64 = 300;

/// Seconds that a signature is good for, before and after its time: the tolerance of the Standard
/// Webhooks libraries.
pub const SIGNATURE_AGE_S_MAX: i64 = 300;

/// Seconds that a worker keeps a feed to itself. It renews the lease with every transaction, none
/// of which takes a tenth as long; a worker that was killed is followed by another after so long.
pub const WORKER_LEASE_S: i64 = 30;

/// Times that a turn is renewed within its lease: two may fail, and it is kept.
pub const TURN_RENEWALS: u64 = 3;

/// Milliseconds between two looks whether it is one's turn: nobody who waits notices so little.
pub const TURN_LOOK_MS: u64 = 200;

/// Seconds that one of several replicas keeps the telling of partners: followed after so long.
pub const EXCHANGE_LEASE_S: i64 = 30;

/// Seconds that a replica keeps a slot: it renews three times in that, and is followed after it.
pub const SLOT_LEASE_S: i64 = 60;

/// Seconds between two renewals of a slot that is being run.
pub const SLOT_RENEW_S: u64 = 20;

/// Seconds after which a slot that was not run counts as missed: a service that is restarted is back.
pub const SLOT_GRACE_S: i64 = 300;

/// Times that a slot is tried, with pauses that double: half an hour, in which a server is back.
pub const SLOT_TRIES_MAX: i64 = 6;

/// The first pause, in seconds, before a slot is tried again, and the longest.
pub const SLOT_PAUSE_S: i64 = 60;
/// See [`SLOT_PAUSE_S`].
pub const SLOT_PAUSE_S_MAX: i64 = 900;

/// Slots looked at to find one: a slot a minute over twice the largest change of a clock.
pub const SLOTS_LOOKED_AT_MAX: usize = 1_000;

/// Seconds between two rounds of the schedule at most: nobody waits longer for a slot.
pub const SCHEDULE_PAUSE_S: u64 = 15;

/// Seconds between two looks at the door: an outage of a few minutes mends itself.
pub const QUEUE_LOOK_S: i64 = 300;

/// Seconds that a request which came in may wait to be processed before somebody is told.
pub const WAITING_TOLD_S: i64 = 900;

/// Rounds of a worker that fail one after the other before somebody is told.
pub const WORKER_FAILURES_TOLD: u32 = 3;

/// Open alerts that are looked at together: some dozen feeds, and a few kinds of trouble each.
pub const ALERTS_LOOKED_AT_MAX: i64 = 1_000;

/// Times that an alert is tried by one way, with growing pauses: a night without the relay.
pub const ALERT_TRIES_MAX: i64 = 8;

/// The first pause, in seconds, before an alert is told again, and the longest.
pub const ALERT_PAUSE_S: i64 = 60;
/// See [`ALERT_PAUSE_S`].
pub const ALERT_PAUSE_S_MAX: i64 = 21_600;

/// Seconds after which a role of the service begins again that a fault of the program stopped: long enough
/// that a fault which comes again at once does no more harm than a line of the log.
pub const ROLE_AGAIN_S: u64 = 30;

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

/// Bytes of one message over MLLP, unless the configuration says otherwise: an admission message has
/// some thousand, one with a document in it some hundred thousand.
pub const MLLP_MESSAGE_BYTES: usize = 1024 * 1024;

/// Connections to one MLLP listener at once, unless the configuration says otherwise: a trust's
/// integration engine opens one or two, each with its own thread here.
pub const MLLP_CONNECTIONS: usize = 32;

/// Seconds that an MLLP connection may rest, unless the configuration says otherwise: engines keep
/// theirs open over a quiet night.
pub const MLLP_IDLE_S: u64 = 24 * 60 * 60;

/// Seconds in which a message must have arrived once its first byte has, the handshake of TLS
/// included: a megabyte over a slow line.
pub const MLLP_FRAME_WAIT_S: u64 = 30;

/// Milliseconds after which a listener looks whether it is to stop.
pub const MLLP_LOOK_MS: u64 = 200;

/// Bytes between two messages after which whoever sends them does not speak MLLP.
pub const MLLP_GARBAGE_BYTES_MAX: usize = 16 * 1024;

/// Seconds that the answer to a message is waited for: a receiver commits before it answers.
pub const MLLP_ANSWER_WAIT_S: u64 = 30;

/// Answers to other messages that are passed over while one is waited for.
pub const MLLP_OTHER_ANSWERS_MAX: usize = 16;

/// Seconds between two looks into a mailbox, unless the configuration says otherwise: the exchange
/// asks for no more than one in a minute.
pub const MESH_EVERY_S: u64 = 60;

/// Seconds after which it is asked what became of a message, unless the configuration says otherwise.
/// Receivers look once an hour or a day.
pub const MESH_TRACK_EVERY_S: i64 = 900;

/// Seconds after which it is asked again about a message that the exchange has forgotten.
pub const MESH_LOST_AFTER_S: i64 = 24 * 60 * 60;

/// Bytes of one chunk that is sent, unless the configuration says otherwise: what the exchange takes
/// on its inner network, and a fifth of what it takes on the internet.
pub const MESH_CHUNK_BYTES: usize = 20 * 1024 * 1024;

/// Chunks of one message: the exchange's own messages end far below.
pub const MESH_CHUNKS_MAX: u32 = 10_000;

/// Messages listed at once (the exchange: 10 to 5,000).
pub const MESH_PAGE_MESSAGES: usize = 50;

/// Pages listed in one round: what does not fit is taken in the next.
pub const MESH_PAGES_MAX: usize = 100;

/// Letters of an id or name that the exchange gives: its own longest field has 500.
pub const MESH_FIELD_CHARS_MAX: usize = 300;

/// Times that one request to the exchange is made again, with pauses that double from
/// [`MESH_PAUSE_MS`]: some seconds in all. After that the next round tries.
pub const MESH_TRIES_MAX: usize = 3;

/// The first pause, in milliseconds, before a request to the exchange is made again.
pub const MESH_PAUSE_MS: u64 = 500;

/// Seconds that one process keeps a mailbox to itself. It renews the lease with every message, of
/// which the largest takes some minutes over a slow line.
pub const MESH_LEASE_S: i64 = 600;

/// Seconds that one process keeps an MLLP receiver to itself: longer than an answer is waited for.
pub const MLLP_LEASE_S: i64 = 120;

/// Seconds between two rounds of the post at most, where they fail.
pub const POST_PAUSE_S_MAX: u64 = 600;

/// Bytes of a message to be sent, which is held in memory.
pub const SENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Messages to be sent that one round takes up.
pub const SENT_CLAIMED_MAX: i64 = 1_000;

/// Messages that were sent, as listed at once.
pub const SENT_LISTED_MAX: i64 = 1_000;

/// Seconds before a message that did not arrive is tried again, doubled from one try to the next.
pub const SENT_PAUSE_S: i64 = 2;

/// Seconds before a message is tried again at most.
pub const SENT_PAUSE_S_MAX: i64 = 3_600;

/// Times that a message is tried: about a week in all, in which somebody has seen the alert.
pub const SENT_TRIES_MAX: i64 = 180;

/// Findings that one acknowledgement tells: simple senders read 4,096 bytes of an answer.
pub const ACK_FINDINGS_MAX: usize = 8;

/// Bytes of one text in an acknowledgement (HL7 v2.5: ERR-8 has 250).
pub const ACK_TEXT_BYTES_MAX: usize = 250;

/// Places of trees and messages that `mapping coverage` tells apart. FHIR's largest resources have
/// some hundred; more than this are values in the place of names.
pub const COVERAGE_PATHS_MAX: usize = 10_000;

/// Different words of one column that a profile counts. The longest code list has some sixty; a
/// column with more is no column of codes.
pub const PROFILE_WORDS_MAX: usize = 200;

/// Columns and places of one file that a profile tells apart.
pub const PROFILE_COLUMNS_MAX: usize = 2_000;

/// Words by which the items of a list may be told apart: uses and systems of contact points and
/// identifiers. More are no sorts but values.
pub const LIST_WORDS_MAX: usize = 12;

/// How deep a document is looked into for its units when nobody has declared where they stand:
/// wrappers of services lie two or three deep.
pub const OUTLINE_DEPTH_MAX: usize = 4;

/// Units that `mapping draft` looks at: enough for every code of a year to turn up.
pub const DRAFT_UNITS_MAX: u64 = 20_000;

/// Units of a file that each mapping at hand is tried on to find the one the file is of: sixty mappings
/// read them in a second or two.
pub const GUESS_UNITS_MAX: usize = 200;

/// Rows of one sheet that are remembered by what they say, to find one that lost its id: all that
/// Excel can hold.
pub const ROW_MARKS_MAX: usize = 1_048_576;

/// Rows of all tables of a submission that are judged together: a year of a large trust's contacts.
/// Of each some hundred bytes are held.
pub const SUBMISSION_ROWS_MAX: usize = 5_000_000;

/// The age that the mental health services data set takes for the greatest there is (its rule
/// MHS00171).
pub const AGE_YEARS_MAX: i32 = 130;

/// Records that `convert` holds at once to join what is known of one person: a caseload of tens of
/// thousands, some hundred megabytes.
pub const CONVERT_RECORDS_MAX: usize = 200_000;

/// Rows that a new tracker has ready on each sheet: more than any programme has, and still quick to
/// open.
pub const FORM_ROWS_MAX: u32 = 10_000;

/// Seconds for which a message that was not delivered is told as an alert: a week, in which somebody
/// has looked.
pub const UNDELIVERED_TOLD_S: i64 = 604_800;

/// Seconds that a request to another system may take, its answer included: as long as an NHS
/// gateway takes on a bad day.
pub const OUTBOUND_WAIT_S: u64 = 60;

/// Seconds in which another system must take the connection.
pub const OUTBOUND_CONNECT_WAIT_S: u64 = 10;

/// Bytes of an answer that are read: one chunk of a message of the NHS exchange is 20 MB at most
/// (MESH API, "Send message", chunking), and nothing else is as large.
pub const OUTBOUND_ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
