//! The tables, as both databases have them.

diesel::table! {
    inbox (message_id) {
        message_id -> Text,
        study -> Text,
    }
}

diesel::table! {
    refused (message_id) {
        message_id -> Text,
        study -> Text,
        code -> Text,
        expected -> Text,
    }
}

diesel::table! {
    subject (study, pseudonym) {
        study -> Text,
        pseudonym -> Text,
        incarnation -> BigInt,
        sequence -> BigInt,
        superseded_by -> Nullable<Text>,
        superseded_incarnation -> Nullable<BigInt>,
        superseded_sequence -> Nullable<BigInt>,
    }
}

diesel::table! {
    withdrawal (study, pseudonym, incarnation, sequence) {
        study -> Text,
        pseudonym -> Text,
        incarnation -> BigInt,
        sequence -> BigInt,
        scope -> Text,
        decided_on -> Text,
        notice -> Text,
    }
}

diesel::table! {
    record (study, pseudonym, record_pseudonym) {
        study -> Text,
        pseudonym -> Text,
        record_pseudonym -> Text,
        kind -> Text,
        owner -> Text,
        incarnation -> BigInt,
        sequence -> BigInt,
        decided_on -> Nullable<Text>,
        release -> Nullable<Text>,
        provenance -> Nullable<Text>,
        fields -> Nullable<Text>,
        missing -> Nullable<Text>,
    }
}

diesel::table! {
    setting (study, setting_pseudonym) {
        study -> Text,
        setting_pseudonym -> Text,
        incarnation -> BigInt,
        sequence -> BigInt,
        release -> Text,
        fields -> Text,
        missing -> Nullable<Text>,
    }
}

diesel::table! {
    aggregate (study, release, name) {
        study -> Text,
        release -> Text,
        name -> Text,
        incarnation -> BigInt,
        message_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    closed_release (study, release) {
        study -> Text,
        release -> Text,
        cut_off -> Text,
        incarnation -> BigInt,
        message_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    notice (study, notice_id) {
        study -> Text,
        notice_id -> Text,
        is_removal -> Bool,
        is_answered -> Bool,
    }
}

diesel::table! {
    extract (extract_id, folder) {
        extract_id -> Text,
        study -> Text,
        release -> Text,
        folder -> Text,
        manifest_sha256 -> Text,
    }
}
