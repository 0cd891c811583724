"""Names and places of the invented county of Northshire. Postcode area ZM and its towns do not exist."""

GIRLS = (
    "Abigail Aisha Alice Amelia Amina Anna Beatrice Bethany Catherine Charlotte Chloe Clara Daisy Deborah "
    "Dorothy Eleanor Elizabeth Emily Emma Esther Eva Evie Faith Fatima Florence Frances Freya Gabriela Georgia "
    "Grace Hannah Harriet Heather Helen Holly Isabella Ivy Jacqueline Jasmine Jennifer Jessica Joanna Josephine "
    "Judith Julia Karen Laura Leah Lily Lucy Lydia Magdalena Margaret Maria Martha Maryam Matilda Megan Mia "
    "Michelle Millie Molly Nadia Natalie Niamh Nicola Olivia Pamela Patricia Phoebe Poppy Priya Rachel Rebecca "
    "Rosemary Rosie Ruby Samantha Sandra Sarah Scarlett Shabnam Sian Sofia Sophie Stephanie Susan Tabitha Tamara "
    "Teresa Thea Valerie Victoria Violet Wanda Yasmin Zainab Zara Zoe"
).split()
BOYS = (
    "Aaron Abdul Adam Adrian Ahmed Aidan Alan Albert Alexander Alfred Andrew Anthony Archie Arthur Benjamin "
    "Bernard Callum Charles Christopher Daniel David Dennis Dylan Edward Elijah Ethan Finley Francis Frank "
    "Frederick Gareth George Gerald Gregory Hamza Harold Harry Harvey Henry Hugo Ibrahim Isaac Jack Jacob James "
    "Jamie Jeffrey Joel John Jonathan Joseph Joshua Kenneth Kevin Krzysztof Lawrence Leo Leon Liam Logan Lucas "
    "Luke Marcin Mark Martin Matthew Maurice Michael Mohammed Muhammad Nathan Nicholas Nigel Noah Oliver Oscar "
    "Patrick Paul Peter Philip Rajesh Raymond Reuben Rhys Richard Robert Roger Ronald Rory Samuel Sebastian "
    "Simon Stanley Stephen Terence Theodore Thomas Timothy Tomasz Toby Tyler Victor Vincent Walter William Yusuf "
    "Zachary"
).split()
FAMILIES = (
    "Abbott Adeyemi Ahmed Akhtar Allan Archer Armitage Ashworth Atkins Ayres Bagley Bailey Balogun Banerjee "
    "Barlow Barrowclough Beckett Begum Bellamy Benson Birch Blackwood Booth Bowen Bradley Brannigan Briggs "
    "Bristow Broadbent Bullock Burrows Cartwright Chapman Chowdhury Clarke Clayton Cole Conway Cooper Coulson "
    "Crabtree Crawford Cross Crowther Dacosta Dalton Davies Dawson Delaney Dempsey Denton Dixon Donnelly "
    "Drummond Duffy Eastwood Eccles Edwards Ellison Evans Fairhurst Farrell Fielding Finch Fletcher Foley "
    "Forster Fowler Gallagher Garside Gibson Gill Goddard Gorman Greaves Greenwood Grimshaw Gupta Haigh Halliday "
    "Hammond Hargreaves Harris Hartley Hayes Heaton Hibbert Hill Hobson Holden Holt Hopkins Horsfall Howarth "
    "Hughes Hussain Ibrahim Illingworth Ingham Iqbal Jackson Jagger Jarvis Jenkins Johnson Jones Joyce Kane Kaur "
    "Kay Keane Kelly Khan Knight Kowalska Lacey Langley Lawton Leach Lewis Lister Lockwood Lomas Lord Lowe Lynch "
    "MacDonald Malik Marsden Mason Mbeki McAllister McCarthy Mellor Metcalfe Miller Mistry Morris Murray Naylor "
    "Nowak Nuttall Obi Ogden Okafor Oldfield Oldham Osborne Owens Parkin Patel Peacock Pearson Pickles "
    "Pilkington Platt Pollard Potts Preston Quigley Rafferty Rahman Ramsden Rashid Rawson Redfern Rhodes Roberts "
    "Robson Rowbotham Royle Rushton Sahota Schofield Shackleton Shah Sharples Shaw Siddiqui Simpson Singh Slater "
    "Smith Spencer Stansfield Stott Sutcliffe Swift Sykes Tattersall Taylor Thackray Thorpe Tomlinson Townsend "
    "Turner Tyson Unsworth Varley Verma Waddington Walker Walsh Wardle Webb Whitaker Whitehead Whittle Wilkinson "
    "Williams Winterbottom Woods Wrigley Wroblewska Yates Young Zaman"
).split()
NICKNAMES = {
    "Abigail": "Abbie", "Alexander": "Alex", "Alfred": "Alfie", "Andrew": "Andy", "Anthony": "Tony",
    "Benjamin": "Ben", "Catherine": "Cathy", "Charles": "Charlie", "Christopher": "Chris", "Daniel": "Danny",
    "David": "Dave", "Deborah": "Debbie", "Edward": "Ted", "Eleanor": "Ellie", "Elizabeth": "Beth",
    "Frederick": "Fred", "Harold": "Harry", "Jacqueline": "Jackie", "James": "Jim", "Jennifer": "Jenny",
    "Jessica": "Jess", "Joseph": "Joe", "Joshua": "Josh", "Kenneth": "Ken", "Lawrence": "Larry",
    "Margaret": "Peggy", "Matthew": "Matt", "Michael": "Mick", "Nicholas": "Nick", "Pamela": "Pam",
    "Patricia": "Pat", "Patrick": "Paddy", "Peter": "Pete", "Philip": "Phil", "Rebecca": "Becky",
    "Richard": "Dick", "Robert": "Bob", "Ronald": "Ron", "Samantha": "Sam", "Samuel": "Sam",
    "Stephanie": "Steph", "Stephen": "Steve", "Susan": "Sue", "Theodore": "Theo", "Thomas": "Tom",
    "Timothy": "Tim", "Victoria": "Vicky", "William": "Bill", "Zachary": "Zac",
}  # fmt: skip
STREETS = (
    "Alder Lane|Bobbin Street|Canal Row|Chapel Brow|Clough Road|Coopers Yard|Dyehouse Lane|Fallow Close|"
    "Ginnel Street|Harebell Way|Kiln Bank|Larkfield Road|Mill Fold|Moorside Avenue|Orchard Terrace|"
    "Packhorse Road|Quarry Hill|Ropewalk|Saltpan Street|Tenter Croft|Turnpike Road|Wharf Street|Whinfell Drive|"
    "Yarrow Gardens"
).split("|")
TOWNS = ("Northbridge", "Kettlewick", "Ashmoor", "Dunsop Ferry", "Great Wexley", "Wexley-under-Edge")
