//! Given names that are short for one another, in normal form.
//!
//! Used only where birth date, postcode and family name agree already. Common English short
//! names; the list may grow, and a missing one costs a link, never makes a false one.

/// Each line: names that may stand for one another.
const GROUPS: [&[&str]; 46] = [
    &["alan", "al", "allan", "allen"],
    &["albert", "al", "bert", "bertie"],
    &["alexander", "alex", "sandy", "alec"],
    &["alexandra", "alex", "sandra", "lexi"],
    &["andrew", "andy", "drew"],
    &["anthony", "tony", "antony"],
    &["barbara", "barb", "babs"],
    &["benjamin", "ben", "benny"],
    &["catherine", "cath", "cathy", "kate", "katie", "kathy", "katherine", "kathryn"],
    &["charles", "charlie", "chas", "chuck"],
    &["christine", "chris", "chrissie", "tina", "christina"],
    &["christopher", "chris", "kit"],
    &["daniel", "dan", "danny"],
    &["david", "dave", "davey"],
    &["deborah", "deb", "debbie", "debra"],
    &["donald", "don", "donny"],
    &["dorothy", "dot", "dottie", "dolly"],
    &["edward", "ed", "eddie", "ted", "teddy", "ned"],
    &["elizabeth", "liz", "lizzie", "beth", "betty", "eliza", "libby", "lisa"],
    &["frederick", "fred", "freddie"],
    &["gerald", "gerry", "jerry"],
    &["harold", "harry", "hal"],
    &["henry", "harry", "hal"],
    &["jacqueline", "jackie", "jacqui"],
    &["james", "jim", "jimmy", "jamie"],
    &["jennifer", "jen", "jenny"],
    &["john", "jack", "johnny", "jon"],
    &["jonathan", "jon", "jonny"],
    &["joseph", "joe", "joey"],
    &["kenneth", "ken", "kenny"],
    &["lawrence", "larry", "laurie", "laurence"],
    &["margaret", "maggie", "meg", "peggy", "marge", "margie", "rita"],
    &["matthew", "matt"],
    &["michael", "mike", "mick", "mickey"],
    &["nicholas", "nick", "nicky"],
    &["pamela", "pam"],
    &["patricia", "pat", "patsy", "trish", "tricia"],
    &["patrick", "pat", "paddy"],
    &["peter", "pete"],
    &["philip", "phil", "phillip"],
    &["richard", "rich", "rick", "dick", "richie"],
    &["robert", "rob", "bob", "bobby", "robbie", "bert"],
    &["ronald", "ron", "ronnie"],
    &["stephen", "steve", "steven", "stevie"],
    &["susan", "sue", "susie", "suzanne"],
    &["william", "will", "bill", "billy", "willie", "liam"],
];

/// Names outside the groups that pair off.
const PAIRS: [(&str, &str); 18] = [
    ("abdul", "abdel"),
    ("dennis", "denis"),
    ("geoffrey", "geoff"),
    ("graham", "graeme"),
    ("gregory", "greg"),
    ("ian", "iain"),
    ("jeffrey", "jeff"),
    ("joanne", "jo"),
    ("leonard", "len"),
    ("mohammed", "muhammad"),
    ("mohammed", "mohammad"),
    ("raymond", "ray"),
    ("samuel", "sam"),
    ("sarah", "sara"),
    ("stanley", "stan"),
    ("terence", "terry"),
    ("thomas", "tom"),
    ("timothy", "tim"),
];

/// True if the two may be one given name: equal, short for one another, an initial, or one letter
/// apart.
#[must_use]
pub fn may_be_one(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() || a == b {
        return true;
    }
    let together = |group: &&[&str]| group.contains(&a) && group.contains(&b);
    is_initial(a, b)
        || is_initial(b, a)
        || GROUPS.iter().any(together)
        || PAIRS.iter().any(|(x, y)| (*x == a && *y == b) || (*x == b && *y == a))
        || is_one_slip_apart(a, b)
}

fn is_initial(short: &str, long: &str) -> bool {
    let mut letters = short.chars();
    letters.next().is_some_and(|first| letters.next().is_none() && long.starts_with(first))
}

/// One letter changed, added or lost, or two neighbours swapped. Short names are spared: `jon`
/// and `ron` are two people.
fn is_one_slip_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) < 5 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same_front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let same_back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let long = a.len().max(b.len());
    if same_front + same_back + 1 >= long {
        return true;
    }
    let swapped = a.len() == b.len() && same_front + same_back + 2 == long;
    swapped && a.get(same_front) == b.get(same_front + 1) && a.get(same_front + 1) == b.get(same_front)
}

#[cfg(test)]
mod tests {
    use super::may_be_one;

    #[test]
    fn short_for_one_another() {
        for (a, b) in [("robert", "bob"), ("bob", "robert"), ("m", "martin"), ("martin", "martn")] {
            assert!(may_be_one(a, b), "{a} {b}");
        }
        for (a, b) in [("trevor", "trevro"), ("michelle", "michele"), ("", "anyone")] {
            assert!(may_be_one(a, b), "{a} {b}");
        }
        for (a, b) in [("jon", "ron"), ("peter", "paul"), ("robert", "william"), ("marina", "martin")] {
            assert!(!may_be_one(a, b), "{a} {b}");
        }
    }
}
