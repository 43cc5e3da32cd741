//! Who works on something now: a name, a holder and an end. A holder that dies lets go when the
//! lease ends.

use diesel::prelude::*;

use crate::base::edge::Instant;
use crate::store::schema::lease;
use crate::store::{StoreError, Tx};

/// Takes or renews a lease; false where somebody else holds it.
///
/// # Errors
/// Where the database fails.
pub fn take(tx: &mut Tx, name: &str, holder: &str, now: Instant, seconds: i64) -> Result<bool, StoreError> {
    if find_other(tx, name, holder, now)? {
        return Ok(false);
    }
    let until = now.plus_s(seconds).to_string();
    on_both!(tx, connection => diesel::insert_into(lease::table)
        .values((lease::name.eq(name), lease::holder.eq(holder), lease::until.eq(&until)))
        .on_conflict(lease::name)
        .do_update()
        .set((lease::holder.eq(holder), lease::until.eq(&until)))
        .execute(connection))?;
    Ok(true)
}

/// True if somebody other than this holder has the lease now. Nobody is called so: `""`.
///
/// # Errors
/// Where the database fails.
pub fn find_other(tx: &mut Tx, name: &str, holder: &str, now: Instant) -> Result<bool, StoreError> {
    let held: Option<(String, String)> =
        lease::table.find(name).select((lease::holder, lease::until)).first(&mut tx.connection).optional()?;
    // Instants are of fixed width, so that text order is time order.
    Ok(held.is_some_and(|(by, until)| by != holder && until > now.to_string()))
}

/// Lets go of a lease.
///
/// # Errors
/// Where the database fails.
pub fn give_back(tx: &mut Tx, name: &str, holder: &str) -> Result<(), StoreError> {
    diesel::delete(lease::table.filter(lease::name.eq(name).and(lease::holder.eq(holder))))
        .execute(&mut tx.connection)?;
    Ok(())
}
