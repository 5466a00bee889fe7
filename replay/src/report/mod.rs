//! Reports: one HTML file, or Markdown, from results alone.
