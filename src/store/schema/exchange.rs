//! The tables of exchange with partners.

diesel::table! {
    dispatch (id) {
        id -> Text,
        flow -> Text,
        agreement -> Text,
        agreement_version -> BigInt,
        partner -> Text,
        mapping -> Text,
        person_id -> Text,
        record_id -> Text,
        record_kind -> Text,
        number -> BigInt,
        round -> BigInt,
        state -> Text,
        reason -> Text,
        tries -> BigInt,
        due_at -> Text,
        lease_until -> Nullable<Text>,
        message_id -> Nullable<Text>,
        created_at -> Text,
        ended_at -> Nullable<Text>,
    }
}

diesel::table! {
    told (partner, mapping, record_id) {
        partner -> Text,
        mapping -> Text,
        record_id -> Text,
        content_hash -> Binary,
        message_id -> Text,
        told_at -> Text,
    }
}

diesel::table! {
    halted (partner) {
        partner -> Text,
        reason -> Text,
        at -> Text,
    }
}

diesel::table! {
    objection (id) {
        id -> Text,
        subject_id -> Text,
        agreement -> Text,
        decision -> Text,
        decided_on -> Text,
        entered_at -> Text,
    }
}

diesel::table! {
    restriction (id) {
        id -> Text,
        subject_id -> Text,
        decision -> Text,
        decided_on -> Text,
        entered_at -> Text,
    }
}

diesel::table! {
    requested (request, number_hash) {
        request -> Text,
        partner -> Text,
        study -> Text,
        number_hash -> Binary,
        person_id -> Text,
        number_sealed -> Binary,
        state -> Text,
        message_id -> Nullable<Text>,
        changed_at -> Text,
    }
}
