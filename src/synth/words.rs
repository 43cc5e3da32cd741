//! Words that people and places are made of. None of them is anybody.

/// Given names of men.
pub const MEN: [&str; 40] = [
    "Alistair",
    "Ambrose",
    "Asif",
    "Barnaby",
    "Bogdan",
    "Cedric",
    "Clifton",
    "Conrad",
    "Cuthbert",
    "Desmond",
    "Dmitri",
    "Edgar",
    "Ezekiel",
    "Fergus",
    "Gareth",
    "Gerald",
    "Hamish",
    "Horace",
    "Ibrahim",
    "Jerome",
    "Kwame",
    "Lionel",
    "Magnus",
    "Nigel",
    "Oswald",
    "Percival",
    "Quentin",
    "Rashid",
    "Roderick",
    "Rupert",
    "Sanjay",
    "Thaddeus",
    "Ugo",
    "Vernon",
    "Wilfred",
    "Xavier",
    "Yannick",
    "Zachary",
    "José",
    "François",
];

/// Given names of women.
pub const WOMEN: [&str; 40] = [
    "Agatha",
    "Beatrix",
    "Bronwen",
    "Cecily",
    "Clarice",
    "Cordelia",
    "Delphine",
    "Edith",
    "Eunice",
    "Fatima",
    "Florence",
    "Gwendolyn",
    "Henrietta",
    "Imogen",
    "Ingrid",
    "Jemima",
    "Khadija",
    "Leonora",
    "Lucinda",
    "Mabel",
    "Millicent",
    "Nerys",
    "Olwen",
    "Parveen",
    "Philippa",
    "Querida",
    "Rosalind",
    "Rukhsana",
    "Sabina",
    "Tabitha",
    "Ursula",
    "Venetia",
    "Wilhelmina",
    "Winifred",
    "Xanthe",
    "Zainab",
    "Zoë",
    "Chloë",
    "Renée",
    "Siân",
];

/// Family names of people who are not of the cohort.
pub const FAMILIES: [&str; 60] = [
    "Abernathy",
    "Ackroyd",
    "Adebayo",
    "Anstruther",
    "Arkwright",
    "Babbington",
    "Birkinshaw",
    "Blenkinsop",
    "Bottomley",
    "Braithwaite",
    "Brocklehurst",
    "Cadwallader",
    "Chatterjee",
    "Cholmondeley",
    "Clutterbuck",
    "Crabtree",
    "Cruickshank",
    "Daubney",
    "Dinsdale",
    "Earnshaw",
    "Entwistle",
    "Fairweather",
    "Featherstone",
    "Fothergill",
    "Gathercole",
    "Goodfellow",
    "Greenhalgh",
    "Hardcastle",
    "Hebblethwaite",
    "Higginbottom",
    "Illingworth",
    "Jaggard",
    "Kettlewell",
    "Lightowler",
    "Longbottom",
    "Mackintosh",
    "Mbeki",
    "Micklethwait",
    "Nettleship",
    "Nwosu",
    "O’Brien",
    "O’Leary",
    "Oldroyd",
    "Ollerenshaw",
    "Pilkington",
    "Postlethwaite",
    "Quarmby",
    "Ramsbottom",
    "Ravenscroft",
    "Rowbotham",
    "Satterthwaite",
    "Sidebottom",
    "Thistlethwaite",
    "Umpleby",
    "Vickerstaff",
    "Wigglesworth",
    "Yardley-Smythe",
    "Müller",
    "Núñez",
    "Lefèvre",
];

/// What a given name is called for short.
pub const NICKNAMES: [(&str, &str); 44] = [
    ("Martin", "Marty"),
    ("Trevor", "Trev"),
    ("Leroy", "Leeroy"),
    ("Joyce", "Joycie"),
    ("Vince", "Vincent"),
    ("Ravi", "Ravinder"),
    ("Derek", "Dezza"),
    ("Carol", "Carrie"),
    ("Darren", "Dazza"),
    ("Colin", "Colly"),
    ("Gavin", "Gavvo"),
    ("Tracey", "Tracy"),
    ("Neil", "Neilly"),
    ("Paula", "Pauly"),
    ("Frank", "Francis"),
    ("Patrick", "Paddy"),
    ("Craig", "Craigy"),
    ("Keith", "Keithy"),
    ("Shabana", "Shabs"),
    ("Stuart", "Stewie"),
    ("Brian", "Brizo"),
    ("Janet", "Jannie"),
    ("Kevin", "Kevvo"),
    ("Wayne", "Wazza"),
    ("Marcus", "Marco"),
    ("Rita", "Margarita"),
    ("Aisha", "Aish"),
    ("Glenn", "Glennie"),
    ("Sandra", "Sandie"),
    ("Denise", "Denny"),
    ("Alan", "Allie"),
    ("Errol", "Roly"),
    ("Elaine", "Lainey"),
    ("Yvonne", "Vonnie"),
    ("Imran", "Immy"),
    ("Dean", "Deano"),
    ("Carl", "Carlo"),
    ("Gail", "Abigail"),
    ("Yusuf", "Yusufi"),
    ("Alistair", "Alistar"),
    ("Desmond", "Dezmond"),
    ("Wilfred", "Wilf"),
    ("Philippa", "Pippa"),
    ("Winifred", "Winnie"),
];

/// Streets of tenancies and of people who live at home.
pub const STREETS: [&str; 30] = [
    "Abbeydale Rise",
    "Bannerfield Walk",
    "Cobnar View",
    "Dykes Hall Way",
    "Ecclesmoor Road",
    "Firshill Bank",
    "Gleadless Crescent",
    "Hangingwater Close",
    "Intake Terrace",
    "Jaunty Lane",
    "Kelham Row",
    "Loxley Drive",
    "Meersbrook Court",
    "Nethershire Avenue",
    "Oakbrook Gardens",
    "Parkwood Mews",
    "Quarry Fold",
    "Rivelin Path",
    "Sandygate Yard",
    "Totley Brow",
    "Upperthorpe Glen",
    "Valley Ridge",
    "Walkley Steps",
    "Yew Lane",
    "Crookesmoor Place",
    "Burngreave Vale",
    "Darnall Field",
    "Endcliffe Edge",
    "Foxhill Garth",
    "Greystones Hollow",
];

/// General practices: code and name.
pub const PRACTICES: [(&str, &str); 6] = [
    ("C88901", "Millsands Surgery"),
    ("C88902", "Kelham Island Practice"),
    ("C88903", "Porter Brook Health Centre"),
    ("C88904", "Loxley Valley Surgery"),
    ("C88905", "Rivelin Practice"),
    ("C88906", "Don Bank Medical Centre"),
];

/// Landlords of tenancies: name, kind of tenancy they let, size.
pub const LANDLORDS: [(&str, &str, &str); 4] = [
    ("Five Weirs Housing Association", "Assured", "Large group"),
    ("Rivelin Homes", "Starter", "Small group"),
    ("Wicker Arches Lettings", "Assured shorthold", "Single home"),
    ("Castlegate Council Homes", "Secure", "Large group"),
];

/// Who gives care and support at home.
pub const PROVIDERS: [(&str, &str); 3] = [
    ("Blue Gate Support", "1-2000000001"),
    ("Kingfisher Home Care", "1-2000000002"),
    ("Steel Thread Support", "1-2000000003"),
];

/// Workers of the programme: staff are people too.
pub const WORKERS: [&str; 6] = [
    "Thomasina Quillfeather",
    "Bartholomew Snodgrass",
    "Araminta Wolstenholme",
    "Peregrine Featherstonehaugh",
    "Ottoline Scattergood",
    "Lysander Pennyfather",
];

/// Wards of the trust.
pub const WARDS: [&str; 4] = ["Bluebell Ward", "Hawthorn Ward", "Larkspur Ward", "Rowan Ward"];

/// Teams of the trust: code of the NHS Data Dictionary and name.
pub const TEAMS: [(&str, &str); 4] = [
    ("A06", "Community Mental Health Team - Functional"),
    ("A04", "Home Treatment Service"),
    ("A08", "Assertive Outreach Team"),
    ("A09", "Community Rehabilitation Service"),
];

/// The care homes of the programme: code in the cohort, name, first line, postcode, CQC location,
/// size of owner, beds.
pub const HOMES: [Home; 14] = [
    home("Home A", "Alderbrook Lodge", "1 Alderbrook Way", "XS1 1AA", "1-1000000001", "Large group", 42),
    home("Home B", "Birchfield House", "2 Birchfield Way", "XS2 2BB", "1-1000000002", "Large group", 38),
    home("Home C", "Cawthorne Court", "3 Cawthorne Way", "XS3 3DD", "1-1000000003", "Large group", 51),
    home("Home D", "Dovecliff Manor", "4 Dovecliff Way", "XS4 4DE", "1-1000000004", "Small group", 24),
    home("Home E", "Elmhurst Grange", "5 Elmhurst Way", "XS5 5EE", "1-1000000005", "Small group", 22),
    home("Home F", "Fernbank House", "6 Fernbank Way", "XS6 6FF", "1-1000000006", "Small group", 28),
    home("Home G", "Glenmoor Lodge", "7 Glenmoor Way", "XS7 7GG", "1-1000000007", "Single home", 12),
    home("Home H", "Hollinwood Court", "8 Hollinwood Way", "XS8 8HH", "1-1000000008", "Single home", 16),
    home("Home I", "Ivydene House", "9 Ivydene Way", "XS9 9JJ", "1-1000000009", "Single home", 9),
    home("Home J", "Juniper Hall", "10 Juniper Way", "XS10 1JL", "1-1000000010", "Small group", 18),
    home("Home K", "Kestrel Grange", "11 Kestrel Way", "XS11 1LN", "1-1000000011", "Single home", 14),
    home("Home L", "Limewood Lodge", "12 Limewood Way", "XS12 2NP", "1-1000000012", "Small group", 20),
    home("Home M", "Maplewell House", "13 Maplewell Way", "XS13 3PQ", "1-1000000013", "Single home", 11),
    home("Home N", "Norbeck Manor", "14 Norbeck Way", "XS14 4QR", "1-1000000014", "Small group", 26),
];

/// A care home.
#[derive(Clone, Copy)]
pub struct Home {
    /// Its code in the cohort.
    pub code: &'static str,
    /// Its name in the three systems.
    pub name: &'static str,
    /// First line of its address.
    pub line: &'static str,
    /// Its postcode; the area `XS` does not exist.
    pub post: &'static str,
    /// Its CQC location.
    pub cqc: &'static str,
    /// Size of its owner.
    pub owner: &'static str,
    /// Beds.
    pub beds: u8,
}

const fn home(
    code: &'static str,
    name: &'static str,
    line: &'static str,
    post: &'static str,
    cqc: &'static str,
    owner: &'static str,
    beds: u8,
) -> Home {
    Home { code, name, line, post, cqc, owner, beds }
}

/// The home of a code in the cohort; the first where the code is not known.
#[must_use]
pub fn home_of(code: &str) -> Home {
    let [first, ..] = HOMES;
    HOMES.into_iter().find(|home| home.code == code).unwrap_or(first)
}
