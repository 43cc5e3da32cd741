//! XML documents.

use insta::assert_snapshot;
use proptest::prelude::*;
use wayleave::base::private::{Cases, Grant};
use wayleave::format::settings::{FormatKind, XmlSettings};
use wayleave::format::unit::Kept;
use wayleave::format::writer::{Layout, Writer, XmlLayout};
use wayleave::format::{At, Cell};

use crate::format_support::{Target, leaves, notes, open_bytes, refused, said_cell};

fn settings(units: &[&str]) -> XmlSettings {
    XmlSettings { units: units.iter().map(ToString::to_string).collect(), ..XmlSettings::default() }
}

fn xml(units: &[&str]) -> FormatKind {
    FormatKind::Xml(settings(units))
}

fn forms() -> FormatKind {
    xml(&["forms", "form"])
}

fn read(text: &str, format: FormatKind, addresses: &[&str]) -> Vec<String> {
    leaves(&mut open_bytes(text.as_bytes(), format), addresses)
}

#[test]
fn elements_attributes_lists_and_text() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- an export -->
<forms made="today">
  <about>passed over</about>
  <form id="7">
    <code>PI001</code><empty/><blank> </blank>
    <phone use="home">1</phone><phone use="work">2</phone>
    <name lang="en">Ada <!-- not text -->Fell</name>
    <note><![CDATA[a <b> & c]]>&amp;&#233;</note>
  </form>
  <form><code>PI002</code><phone use="home">3</phone><nil xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></form>
  <form/>
</forms>
"#;
    let addresses = [
        "@id",
        "code",
        "empty",
        "blank",
        "phone[@use=home]",
        "phone[1]",
        "name",
        "name.@lang",
        "note",
        "nil",
    ];
    assert_snapshot!(read(text, forms(), &addresses).join("\n"), @r"
    5 /forms/form[1]: 7|PI001|-|-|1|2|Ada Fell|en|a <b> & c&é|-
    11 /forms/form[2]: -|PI002|-|-|3|-|-|-|-|(delete)
    12 /forms/form[3]: -|-|-|-|-|-|-|-|-|-
    ");
}

#[test]
fn units_may_stand_in_several_places_and_be_the_document() {
    let text = "<a><b><u>1</u><x><u>no</u></x></b><c><u>no</u></c><b/><b><u>2</u></b></a>";
    let read_text = |text: &str, units: &[&str]| read(text, xml(units), &["#text"]);
    assert_eq!(read_text(text, &["a", "b", "u"]), ["1 /a/b/u[1]: 1", "1 /a/b/u[2]: 2"]);
    assert_eq!(read_text("<u>1</u>", &["u"]), ["1 /u[1]: 1"]);
    assert_eq!(read_text("<a/>", &["a", "u"]), Vec::<String>::new());
}

#[test]
fn names_go_by_the_mappings_prefixes_whatever_the_document_calls_them() {
    let text = r#"<z:forms xmlns:z="urn:core" xmlns="urn:other"><z:form><z:code>1</z:code><code z:kind="x">2</code></z:form></z:forms>"#;
    let with = |namespace: Option<&str>, namespaces: &[(&str, &str)]| {
        FormatKind::Xml(XmlSettings {
            namespace: namespace.map(str::to_owned),
            namespaces: namespaces.iter().map(|(p, n)| ((*p).to_owned(), (*n).to_owned())).collect(),
            ..settings(&["forms", "form"])
        })
    };
    assert_eq!(read(text, with(None, &[("o", "urn:other")]), &["code", "o:code"]), ["1 /forms/form[1]: 1|2"]);
    let core = with(Some("urn:core"), &[("c", "urn:core")]);
    assert_eq!(read(text, core, &["code", "c:code", "code.@c:kind"]), ["1 /forms/form[1]: 2|1|x"]);
    assert_snapshot!(
        refused(text.as_bytes(), with(Some("urn:other"), &[])).join("\n"),
        @"t, line 1: expected a document in the namespace `urn:other`, found another or none [xml/shape]"
    );
}

#[test]
fn an_element_that_stands_twice_where_one_is_read_is_a_finding() {
    let text = "<forms><form><a>1</a><a>2</a></form><form><a>1</a><b/><b/></form></forms>";
    let format = FormatKind::Xml(XmlSettings { expected: vec!["a".into()], ..settings(&["forms", "form"]) });
    assert_eq!(read(text, format, &["a"]), ["1 /forms/form[1]: [xml/repeated]", "1 /forms/form[2]: 1"]);
}

#[test]
fn a_broken_unit_breaks_no_other() {
    let wrapped = |inner: &str| format!("<forms>\n{inner}\n<form><a>2</a></form>\n</forms>");
    let check = |inner: &str| read(&wrapped(inner), forms(), &["a"]).join("; ");
    assert_snapshot!(check("<form><a>1</form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a>1</b></a></form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a b=1>1</a></form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a b='1' b='2'>1</a></form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a>1 & 2</a></form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a>&nbsp;</a></form>"), @"2 /forms/form[1]: [xml/entity]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form><a>&#0;</a></form>"), @"2 /forms/form[1]: [xml/syntax]; 3 /forms/form[2]: 2");
    assert_snapshot!(check("<form t='&x;'/>"), @"2 /forms/form[1]: [xml/entity]; 3 /forms/form[2]: 2");
    assert_snapshot!(read("<forms><form><a>1</a></forms>", forms(), &["a"]).join("; "), @"1 /forms/form[1]: [xml/syntax]");
    assert_snapshot!(read("<forms><form/></form></forms>", forms(), &["a"]).join("; "), @"1 /forms/form[1]: -; 1: [xml/syntax]");
    assert_snapshot!(read("<forms><form/></forms><forms/>", forms(), &["a"]).join("; "), @"1 /forms/form[1]: -; 1: [xml/syntax]");
    assert_snapshot!(read("<forms><form/></forms> x", forms(), &["a"]).join("; "), @"1 /forms/form[1]: -; 1: [xml/syntax]");
}

#[test]
fn a_cut_off_document_gives_what_is_whole_and_says_where_it_ends() {
    let whole = "<forms><form><a>1</a></form><form><a>2</a></form></forms>";
    let mut ends = std::collections::BTreeSet::new();
    for length in "<forms>".len()..whole.len() {
        let read = read(&whole[..length], forms(), &["a"]);
        assert!(read.last().unwrap().ends_with("[file/truncated]"), "{length}: {read:?}");
        ends.insert(read.len());
    }
    assert_eq!(ends, [1, 2, 3].into());
}

#[test]
fn bounds_hold_before_anything_is_built() {
    let check = |inner: &str| {
        let text = format!("<forms>{inner}<form><a>2</a></form></forms>");
        read(&text, forms(), &["a"]).join("; ")
    };
    let deep = format!("<form>{}{}</form>", "<a>".repeat(5_000), "</a>".repeat(5_000));
    assert_snapshot!(check(&deep), @"1 /forms/form[1]: [xml/too-deep]; 1 /forms/form[2]: 2");
    assert_snapshot!(check(&format!("<form><a>{}</a></form>", "x".repeat(5 * 1024 * 1024))), @"1 /forms/form[1]: [file/unit-too-large]; 1 /forms/form[2]: 2");
    assert_snapshot!(check(&format!("<form><a b=\"{}\"/></form>", "x".repeat(5 * 1024 * 1024))), @"1 /forms/form[1]: [file/unit-too-large]; 1 /forms/form[2]: 2");
    assert_snapshot!(check(&format!("<form><![CDATA[{}]]></form>", "x".repeat(5 * 1024 * 1024))), @"1 /forms/form[1]: [file/unit-too-large]; 1 /forms/form[2]: 2");
    assert_snapshot!(check(&format!("<form>{}</form>", "<a/>".repeat(60_000))), @"1 /forms/form[1]: [xml/too-many]; 1 /forms/form[2]: 2");
    let many: String = (0..300).map(|number| format!(" a{number}='1'")).collect();
    assert_snapshot!(check(&format!("<form{many}/>")), @"1 /forms/form[1]: [xml/too-many]; 1 /forms/form[2]: 2");
    let many: String = (0..300).map(|number| format!(" xmlns:a{number}='u'")).collect();
    assert_snapshot!(check(&format!("<form{many}/>")), @"1 /forms/form[1]: [xml/too-many]; 1 /forms/form[2]: 2");
    let long = format!("<form><a b=\"{}\">1</a></form>", "x".repeat(1024 * 1024));
    assert_snapshot!(check(&long), @"1 /forms/form[1]: 1; 1 /forms/form[2]: 2");
}

#[test]
fn no_entity_is_expanded() {
    let bomb = r#"<?xml version="1.0"?>
<!DOCTYPE forms [
 <!ENTITY a "ha"> <!-- ]> -->
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY file SYSTEM "file:///etc/passwd">
]>
<forms><form><a>&b;</a></form><form><a b="&file;"/></form><form><a>1</a></form></forms>"#;
    let mut reader = open_bytes(bomb.as_bytes(), forms());
    assert_snapshot!(notes(&mut reader).join("\n"), @"t, line 6: this document declares entities; they are not read, and where one is used the unit is refused [xml/doctype]");
    assert_snapshot!(leaves(&mut reader, &["a"]).join("\n"), @r"
    7 /forms/form[1]: [xml/entity]
    7 /forms/form[2]: [xml/entity]
    7 /forms/form[3]: 1
    ");
    let named = "<!DOCTYPE forms SYSTEM \"forms.dtd\"><forms/>";
    assert_snapshot!(notes(&mut open_bytes(named.as_bytes(), forms())).join("\n"), @"t, line 1: this document names a document type, which is not read [xml/doctype]");
    let endless = format!("<!DOCTYPE forms [{}]><forms/>", "<!ENTITY a 'x'>".repeat(10_000));
    assert_snapshot!(refused(endless.as_bytes(), forms()).join("\n"), @"t, line 1: expected a document type of ordinary length, found one longer than any is [file/unit-too-large]");
}

#[test]
fn encodings_by_declaration_and_by_mark() {
    let said = |bytes: &[u8]| {
        let mut reader = open_bytes(bytes, forms());
        let notes = notes(&mut reader).join(" ");
        format!("{} {notes}", leaves(&mut reader, &["a"]).join(" "))
    };
    let text = |encoding: &str| {
        format!("<?xml version='1.0' encoding='{encoding}'?><forms><form><a>é</a></form></forms>")
    };
    let latin = |encoding: &str| {
        text(encoding)
            .replace('é', "\u{1}")
            .into_bytes()
            .into_iter()
            .map(|b| if b == 1 { 0xE9 } else { b })
            .collect::<Vec<_>>()
    };
    let wide = |encoding: &str| {
        format!("\u{feff}{}", text(encoding)).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()
    };
    assert_snapshot!(said(text("utf-8").as_bytes()), @"1 /forms/form[1]: é");
    assert_snapshot!(said(format!("\u{feff}{}", text("UTF-8")).as_bytes()), @"1 /forms/form[1]: é");
    assert_snapshot!(said(&latin("windows-1252")), @"1 /forms/form[1]: é");
    assert_snapshot!(said(&latin("ISO-8859-1")), @"1 /forms/form[1]: é");
    assert_snapshot!(said(&wide("UTF-16")), @"1 /forms/form[1]: é t: read as UTF-16 (what Excel calls Unicode Text): the file marks itself so [charset/decided]");
    let refusal = |bytes: &[u8]| refused(bytes, forms()).join("\n");
    assert_snapshot!(refusal(&latin("UTF-8")), @"t, line 1: expected UTF-8 throughout, found a character that is not [charset/mismatch]");
    assert_snapshot!(refusal(&latin("EBCDIC-CP-GB")), @"t: expected UTF-8, UTF-16 or Windows-1252, found a document that declares another encoding [charset/undecided]");
    assert_snapshot!(refusal(format!("\u{feff}{}", text("windows-1252")).as_bytes()), @"t: expected Windows-1252 (what Windows calls ANSI), found a file that marks itself as UTF-8 [charset/mismatch]");
    let undeclared: Vec<u8> = [b"<forms><form><a>".as_slice(), &[0xE9], b"</a></form></forms>"].concat();
    assert_snapshot!(refusal(&undeclared), @"t, line 1: expected UTF-8 throughout, found a character that is not [charset/mismatch]");
}

#[test]
fn what_is_no_such_document_is_refused() {
    let refusal = |text: &str| refused(text.as_bytes(), forms()).join("\n");
    assert_snapshot!(refusal(""), @"t: expected rows or messages, found an empty file [file/empty]");
    assert_snapshot!(refusal("  \n"), @"t, line 2: expected XML, found text that is not [xml/syntax]");
    assert_snapshot!(refusal("a,b\n1,2\n"), @"t, line 3: expected XML, found text that is not [xml/syntax]");
    assert_snapshot!(refusal("<html><body/></html>"), @"t, line 1: expected a document whose outermost element is `forms`, found another [xml/shape]");
    assert_snapshot!(refusal("<!-- "), @"t, line 1: expected more, found the end of the file inside an element [file/truncated]");
    assert_snapshot!(refusal("</forms>"), @"t, line 1: expected XML, found text that is not [xml/syntax]");
}

#[test]
fn a_kept_unit_is_read_again_as_it_was() {
    let text = "<forms><form><a k='1'>x</a><b/><b>y</b></form></forms>";
    let mut reader = open_bytes(text.as_bytes(), forms());
    let arrival = reader.next().unwrap().unwrap();
    let raw = arrival.unit.ok().unwrap().raw();
    let grant = Grant::<Cases>::begin("test");
    let kept = Kept::read(raw.open(&grant), &forms()).unwrap();
    let _receipt = grant.close();
    for (address, is) in [("a", "x"), ("a.@k", "1"), ("b[1]", "y"), ("b", "-")] {
        assert_eq!(said_cell(kept.unit().cell(&At::compile(address, None).unwrap())), is);
    }
}

fn layout() -> XmlLayout {
    let order = ["status", "code", "code.@kind", "phone[@use=home]", "gone", "day"];
    XmlLayout {
        units: vec!["forms".into(), "form".into()],
        namespace: Some("urn:core".into()),
        order: order.iter().map(ToString::to_string).collect(),
        with_blanks: true,
        ..XmlLayout::default()
    }
}

fn write(layout: &XmlLayout, units: &[Vec<(At, Cell<'_>)>]) -> (Vec<String>, Vec<u8>) {
    let target = Target::default();
    let mut writer = Writer::new(Box::new(target.clone()), &Layout::Xml(layout.clone())).unwrap();
    let mut findings = Vec::new();
    for unit in units {
        let unit: Vec<(&At, Cell<'_>)> = unit.iter().map(|(at, cell)| (at, *cell)).collect();
        findings.extend(writer.put(None, &unit).unwrap().map(|finding| finding.to_string()));
    }
    writer.finish().unwrap();
    (findings, target.bytes())
}

#[test]
fn a_document_is_written_in_the_layouts_order() {
    let at = |address: &str| At::compile(address, None).unwrap();
    let units = vec![
        vec![
            (at("phone[@use=home]"), Cell::Text("1")),
            (at("code.@kind"), Cell::Text("a \"b\"\n")),
            (at("code"), Cell::Text("<&>\r")),
            (at("gone"), Cell::Delete),
            (at("day"), Cell::Day("2024-02-29".parse().unwrap())),
            (at("more"), Cell::Bool(true)),
        ],
        vec![(at("code"), Cell::Text("\u{1}"))],
    ];
    let (findings, bytes) = write(&layout(), &units);
    assert_snapshot!(findings.join("\n"), @"line 2: expected letters that XML can hold, found a control character [charset/unwritable]");
    assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <forms xmlns="urn:core" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <form><status/><code kind="a &quot;b&quot;&#10;">&lt;&amp;&gt;&#13;</code><phone use="home">1</phone><gone xsi:nil="true"/><day>2024-02-29</day><more>true</more></form>
    </forms>
    "#);
}

proptest! {
    #[test]
    fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("\\PC{0,12}|[ \t\n\r<>&'\"]{0,4}x", 4), 0..5)) {
        let addresses = ["code", "code.@kind", "phone[@use=home]", "a.b.c"];
        let at: Vec<At> = addresses.iter().map(|address| At::compile(address, None).unwrap()).collect();
        let units: Vec<Vec<(At, Cell<'_>)>> = rows
            .iter()
            .map(|row| at.iter().cloned().zip(row.iter().map(|text| Cell::Text(text))).collect())
            .collect();
        let (findings, bytes) = write(&layout(), &units);
        prop_assert!(findings.is_empty());
        let mut reader = open_bytes(&bytes, forms());
        for row in &rows {
            let arrival = reader.next().unwrap().unwrap();
            let unit = arrival.unit.unwrap();
            for (at, text) in at.iter().zip(row) {
                let expected = if text.trim().is_empty() { Cell::Absent } else { Cell::Text(text) };
                prop_assert_eq!(said_cell(unit.cell(at)), said_cell(expected));
            }
        }
        prop_assert!(reader.next().unwrap().is_none());
    }
}
