//! The tables as Diesel knows them; the migrations say what each column is for.

#![expect(missing_docs, reason = "the migrations document the columns")]

mod exchange;

pub use exchange::*;

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    batch (id) {
        id -> Text,
        source -> Text,
        feed -> Text,
        content_hash -> Binary,
        name_sealed -> Binary,
        size_bytes -> BigInt,
        wrapped_key -> Nullable<Binary>,
        received_at -> Text,
        rows_expected -> Nullable<BigInt>,
    }
}

diesel::table! {
    seen_file (source, feed, name_hash) {
        source -> Text,
        feed -> Text,
        name_hash -> Binary,
        size_bytes -> BigInt,
        modified_ms -> BigInt,
        since -> Text,
        content_hash -> Nullable<Binary>,
    }
}

diesel::table! {
    kept_piece (batch_id, position) {
        batch_id -> Text,
        position -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    mapping_version (hash) {
        hash -> Binary,
        name -> Text,
        version -> BigInt,
        text -> Text,
    }
}

diesel::table! {
    run (id) {
        id -> Text,
        batch_id -> Text,
        source -> Text,
        feed -> Text,
        mapping_hash -> Binary,
        state -> Text,
        started_at -> Text,
        finished_at -> Nullable<Text>,
        position -> BigInt,
        received -> BigInt,
        rejected -> BigInt,
        quarantined -> BigInt,
        duplicate -> BigInt,
        filtered -> BigInt,
        accepted -> BigInt,
        unchanged -> BigInt,
        records_new -> BigInt,
        records_changed -> BigInt,
        records_absent -> BigInt,
        findings_note -> BigInt,
        findings_warning -> BigInt,
        findings_error -> BigInt,
        linked -> BigInt,
        released -> BigInt,
        known_mark -> BigInt,
        note -> Text,
    }
}

diesel::table! {
    run_finding (run_id, position) {
        run_id -> Text,
        position -> BigInt,
        code -> Text,
        severity -> Text,
        sheet -> Nullable<Text>,
        line -> Nullable<BigInt>,
        column_name -> Nullable<Text>,
        path -> Nullable<Text>,
        expected -> Text,
        hint -> Text,
        about -> Nullable<Binary>,
    }
}

diesel::table! {
    run_finding_count (run_id, code, severity) {
        run_id -> Text,
        code -> Text,
        severity -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    quarantine (id) {
        id -> Text,
        run_id -> Text,
        batch_id -> Text,
        source -> Text,
        feed -> Text,
        unit -> BigInt,
        sheet -> Nullable<Text>,
        line -> Nullable<BigInt>,
        path -> Nullable<Text>,
        code -> Text,
        sealed -> Binary,
        state -> Text,
        column_name -> Nullable<Text>,
        expected -> Text,
        replay_run -> Nullable<Text>,
        closed_at -> Nullable<Text>,
        closed_by -> Nullable<Text>,
    }
}

diesel::table! {
    mapping_code_list (mapping_hash, name) {
        mapping_hash -> Binary,
        name -> Text,
        text -> Text,
    }
}

diesel::table! {
    live_mapping (source, feed, number) {
        source -> Text,
        feed -> Text,
        number -> BigInt,
        mapping_hash -> Nullable<Binary>,
        before -> Nullable<BigInt>,
        at -> Text,
        actor -> Text,
    }
}

diesel::table! {
    shadow (id) {
        id -> Text,
        source -> Text,
        feed -> Text,
        mapping_hash -> Binary,
        started_at -> Text,
        ended_at -> Nullable<Text>,
        actor -> Text,
        units -> BigInt,
        differing -> BigInt,
        live_hash -> Nullable<Binary>,
    }
}

diesel::table! {
    shadow_difference (shadow_id, what, about) {
        shadow_id -> Text,
        what -> Text,
        about -> Text,
        count -> BigInt,
        examples -> Text,
    }
}

diesel::table! {
    inbox (source, webhook_id_hash) {
        source -> Text,
        webhook_id_hash -> Binary,
        batch_id -> Text,
        unit -> BigInt,
    }
}

diesel::table! {
    person (id) {
        id -> Text,
        created_at -> Text,
        superseded_by -> Nullable<Text>,
    }
}

diesel::table! {
    subject (id) {
        id -> Text,
        source -> Text,
        key_hash -> Binary,
        wrapped_key -> Nullable<Binary>,
        person_id -> Nullable<Text>,
        is_known -> Bool,
        created_at -> Text,
    }
}

diesel::table! {
    subject_block (subject_id, block, hash) {
        subject_id -> Text,
        block -> Text,
        hash -> Binary,
    }
}

diesel::table! {
    record (id) {
        id -> Text,
        subject_id -> Nullable<Text>,
        source -> Text,
        feed -> Text,
        kind -> Text,
        key_hash -> Binary,
        current_number -> BigInt,
        last_number -> BigInt,
        current_hash -> Binary,
        current_source_time -> Nullable<Text>,
        current_arrived_at -> Text,
        current_unit -> BigInt,
        current_feed -> Text,
        absent_since -> Nullable<Text>,
        last_run -> Text,
    }
}

diesel::table! {
    version (record_id, number) {
        record_id -> Text,
        number -> BigInt,
        hash -> Binary,
        source_time -> Nullable<Text>,
        arrived_at -> Text,
        batch_id -> Text,
        feed -> Text,
        unit -> BigInt,
        sheet -> Nullable<Text>,
        line -> Nullable<BigInt>,
        path -> Nullable<Text>,
        mapping_hash -> Binary,
        body -> Text,
        identity -> Nullable<Binary>,
    }
}

diesel::table! {
    record_key (key_hash, record_id) {
        key_hash -> Binary,
        record_id -> Text,
    }
}

diesel::table! {
    saying (record_id, feed) {
        record_id -> Text,
        feed -> Text,
        key_hash -> Binary,
        same_hash -> Nullable<Binary>,
        like_hash -> Nullable<Binary>,
        has_own -> Bool,
        hash -> Binary,
        source_time -> Nullable<Text>,
        arrived_at -> Text,
        batch_id -> Text,
        unit -> BigInt,
        body -> Text,
        identity -> Nullable<Binary>,
        times -> Text,
    }
}

diesel::table! {
    work (step, key) {
        step -> Text,
        key -> Text,
        run_id -> Text,
        created_at -> Text,
    }
}

diesel::table! {
    audit (number) {
        number -> BigInt,
        at -> Text,
        actor -> Text,
        action -> Text,
        purpose -> Text,
        object -> Text,
        count -> BigInt,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    person_event (person_id, number) {
        person_id -> Text,
        number -> BigInt,
        kind -> Text,
        other_person_id -> Nullable<Text>,
        subject_id -> Nullable<Text>,
        tier -> Text,
        reason -> Text,
        at -> Text,
    }
}

diesel::table! {
    link_edge (subject_a, subject_b) {
        subject_a -> Text,
        subject_b -> Text,
        tier -> Text,
        decided_at -> Text,
    }
}

diesel::table! {
    link_doubt (subject_a, subject_b) {
        subject_a -> Text,
        subject_b -> Text,
        reason -> Text,
        at -> Text,
    }
}

diesel::table! {
    intent (id) {
        id -> Text,
        study -> Text,
        person_id -> Nullable<Text>,
        record_id -> Nullable<Text>,
        record_kind -> Nullable<Text>,
        number -> BigInt,
        kind -> Text,
        reason -> Text,
        basis -> Text,
        notice_id -> Nullable<Text>,
        state -> Text,
        lease_until -> Nullable<Text>,
        claimed_by -> Nullable<Text>,
        message_id -> Nullable<Text>,
        sequence -> BigInt,
        created_at -> Text,
        sent_at -> Nullable<Text>,
        release_id -> Nullable<Text>,
        settled_at -> Nullable<Text>,
    }
}

diesel::table! {
    standing (study, record_id) {
        study -> Text,
        record_id -> Text,
        person_id -> Nullable<Text>,
        kind -> Text,
        number -> BigInt,
        basis -> Text,
        message_id -> Text,
        sequence -> BigInt,
    }
}

diesel::table! {
    pseudonym (study, recipient, epoch, value) {
        study -> Text,
        recipient -> Text,
        epoch -> BigInt,
        #[sql_name = "pseudonym"]
        value -> Text,
        person_sealed -> Binary,
        first_release -> Text,
        superseded_by -> Nullable<Text>,
    }
}

diesel::table! {
    sequence (study, person_id) {
        study -> Text,
        person_id -> Text,
        last -> BigInt,
    }
}

diesel::table! {
    release (id) {
        id -> Text,
        study -> Text,
        protocol_version -> BigInt,
        cut_off -> Text,
        state -> Text,
        counts -> Text,
        closed_at -> Nullable<Text>,
        message_id -> Nullable<Text>,
        told_at -> Nullable<Text>,
        settled_at -> Nullable<Text>,
        incarnation -> BigInt,
    }
}

diesel::table! {
    notice (id) {
        id -> Text,
        study -> Text,
        person_id -> Text,
        scope -> Text,
        decided_on -> Text,
        laid_at -> Text,
        sent_at -> Nullable<Text>,
        acknowledged_at -> Nullable<Text>,
        removed_at -> Nullable<Text>,
    }
}

diesel::table! {
    delivery (id) {
        id -> Text,
        source -> Text,
        feed -> Text,
        id_hash -> Binary,
        content_hash -> Binary,
        credential -> Text,
        shape -> Text,
        units -> BigInt,
        sealed -> Nullable<Binary>,
        received_at -> Text,
        repeats -> BigInt,
        batch_id -> Nullable<Text>,
        first_unit -> Nullable<BigInt>,
    }
}

diesel::table! {
    unit_outcome (batch_id, unit) {
        batch_id -> Text,
        unit -> BigInt,
        outcome -> Text,
        findings -> Text,
    }
}

diesel::table! {
    lease (name) {
        name -> Text,
        holder -> Text,
        until -> Text,
    }
}

diesel::table! {
    api_key (id) {
        id -> Text,
        hash -> Binary,
        label -> Text,
        role -> Text,
        source -> Nullable<Text>,
        created_at -> Text,
        expires_at -> Text,
        revoked_at -> Nullable<Text>,
        replaces -> Nullable<Text>,
        sees_restricted -> Bool,
    }
}

diesel::table! {
    slot (name) {
        name -> Text,
        last -> Text,
        claimed -> Nullable<Text>,
        holder -> Nullable<Text>,
        until -> Nullable<Text>,
        tries -> BigInt,
    }
}

diesel::table! {
    hold (run_id) {
        run_id -> Text,
        batch_id -> Text,
        reason -> Text,
        part -> BigInt,
        whole -> BigInt,
        share_max -> BigInt,
        held_at -> Text,
        decided -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Text>,
    }
}

diesel::table! {
    alert (id) {
        id -> Text,
        kind -> Text,
        feed -> Text,
        about -> Text,
        count -> BigInt,
        text -> Text,
        to_do -> Text,
        raised_at -> Text,
        ended_at -> Nullable<Text>,
    }
}

diesel::table! {
    sent (id) {
        id -> Text,
        transport -> Text,
        recipient -> Text,
        workflow -> Text,
        subject -> Text,
        file_name -> Text,
        in_order_of -> Nullable<Text>,
        key_hash -> Binary,
        size_bytes -> BigInt,
        sealed -> Nullable<Binary>,
        state -> Text,
        message_id -> Nullable<Text>,
        code -> Nullable<Text>,
        tries -> BigInt,
        next_try_at -> Text,
        queued_at -> Text,
        changed_at -> Text,
        dispatch_id -> Nullable<Text>,
    }
}

diesel::table! {
    alert_telling (alert_id, way) {
        alert_id -> Text,
        way -> Text,
        tries -> BigInt,
        next_at -> Text,
        told_at -> Nullable<Text>,
        given_up_at -> Nullable<Text>,
    }
}

diesel::joinable!(alert_telling -> alert (alert_id));

diesel::table! {
    alert_end (alert_id, way) {
        alert_id -> Text,
        way -> Text,
        tries -> BigInt,
        next_at -> Text,
        told_at -> Nullable<Text>,
        given_up_at -> Nullable<Text>,
    }
}

diesel::joinable!(alert_end -> alert (alert_id));

diesel::table! {
    mailbox_doubt (message_id) {
        message_id -> Text,
        reason -> Text,
        workflow -> Text,
        sender -> Text,
        code -> Text,
        first_seen_at -> Text,
        last_seen_at -> Text,
    }
}

diesel::joinable!(version -> record (record_id));
diesel::joinable!(saying -> record (record_id));
diesel::joinable!(quarantine -> batch (batch_id));
diesel::joinable!(subject_block -> subject (subject_id));
diesel::joinable!(record -> subject (subject_id));

diesel::allow_tables_to_appear_in_same_query!(
    meta,
    batch,
    kept_piece,
    mapping_version,
    run,
    run_finding,
    run_finding_count,
    quarantine,
    mapping_code_list,
    live_mapping,
    shadow,
    shadow_difference,
    inbox,
    person,
    subject,
    subject_block,
    record,
    version,
    record_key,
    saying,
    work,
    audit,
    person_event,
    link_edge,
    link_doubt,
    intent,
    standing,
    pseudonym,
    sequence,
    release,
    notice,
    delivery,
    unit_outcome,
    lease,
    sent,
    mailbox_doubt,
    api_key,
    slot,
    hold,
    alert,
    alert_telling,
    alert_end,
);
