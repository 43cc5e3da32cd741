//! The tables of `migrations/queue/sqlite`.

diesel::table! {
    /// The queues that were declared.
    queue (name) {
        /// Its name at the broker.
        name -> Text,
    }
}

diesel::table! {
    /// Messages that wait, are claimed or are dead.
    message (position) {
        /// Order of arrival.
        position -> BigInt,
        /// The queue it is in.
        queue -> Text,
        /// The same each time it is sent.
        message_id -> Text,
        /// What its order is kept by.
        subject -> Text,
        /// The document.
        body -> Binary,
        /// Times it was claimed since it was published or revived.
        deliveries -> Integer,
        /// Times it was claimed at all.
        fence -> BigInt,
        /// Until when it stays with its claimer.
        claimed_until -> Nullable<BigInt>,
        /// Delivered too often.
        is_dead -> Bool,
    }
}

diesel::joinable!(message -> queue (queue));
diesel::allow_tables_to_appear_in_same_query!(message, queue);
