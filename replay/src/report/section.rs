//! What a report consists of.

/// A section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Its name in links: lower case, no spaces.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// Paragraphs before the figures.
    pub text: Vec<String>,
    /// Figures, each with the numbers that it shows.
    pub figures: Vec<Figure>,
    /// Tables without a figure.
    pub tables: Vec<Table>,
}

/// A drawing and its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// What it shows, in a sentence.
    pub caption: String,
    /// The drawing.
    pub svg: String,
    /// Its numbers.
    pub table: Table,
    /// Of figures that follow each other and that a reader sees one of at a time: which it is.
    pub choice: Option<Choice>,
}

/// A place among figures of which a reader picks one. In print, and in Markdown, all of them are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Names the figures that belong together: lower case, no spaces.
    pub group: String,
    /// What is picked.
    pub question: String,
    /// The name of this one.
    pub answer: String,
    /// Whether it is the one that is seen first: one of each group.
    pub is_first: bool,
}

/// A table. All columns but the first hold numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it holds; empty below a figure.
    pub caption: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same with a caption.
    pub fn titled(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Adds a row.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}
