// expect: E0277
// A record that holds private values cannot be printed.

use crate::record::kind::person::Person;

fn leak(person: &Person) -> String {
    format!("{person:?}")
}
