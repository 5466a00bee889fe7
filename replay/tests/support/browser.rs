//! A page as a person would see it: laid out by headless Chromium, where there is one.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

const CHECKS: &str = include_str!("page_checks.js");
const PRINT_CHECKS: &str = include_str!("print_checks.js");

/// Pixels of CSS between the margins of a sheet of A4: 210 mm without 12 on either side.
const A4_WIDTH: u32 = 703;

/// A browser on this machine.
pub(crate) struct Browser {
    program: PathBuf,
}

impl Browser {
    /// The one named by `CHROMIUM`, or on the path; `None`, said on stderr, where there is none.
    pub(crate) fn find() -> Option<Self> {
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
        let found = named.into_iter().chain(names).find(|program| {
            let version = Command::new(program).arg("--version").output();
            version.is_ok_and(|it| it.status.success())
        });
        if found.is_none() {
            eprintln!("skipped: no Chromium (CHROMIUM, or chromium on the path)");
        }
        found.map(|program| Self { program })
    }

    /// What the checks find in a page.
    pub(crate) fn look_at(
        &self,
        html: &str,
        dir: &Path,
        width: u32,
        dark: bool,
    ) -> serde_json::Value {
        self.found_by(CHECKS, html, dir, width, dark)
    }

    /// What the checks find in a page as it is printed: rules for print hold on a screen as wide as the text on paper.
    pub(crate) fn look_at_print(&self, html: &str, dir: &Path, dark: bool) -> serde_json::Value {
        assert!(html.contains("@media print"));
        let printed = html.replace("@media print", "@media all");
        self.found_by(PRINT_CHECKS, &printed, dir, A4_WIDTH, dark)
    }

    /// A page as PDF.
    pub(crate) fn pdf(&self, html: &str, dir: &Path) -> Vec<u8> {
        let page = dir.join("page.html");
        std::fs::write(&page, html).unwrap();
        let pdf = dir.join("page.pdf");
        let print = format!("--print-to-pdf={}", pdf.display());
        let options = [
            &*print,
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
        ];
        self.run(&options, &page, dir, 1_000, false);
        std::fs::read(pdf).unwrap()
    }

    fn found_by(
        &self,
        checks: &str,
        html: &str,
        dir: &Path,
        width: u32,
        dark: bool,
    ) -> serde_json::Value {
        let checked = html.replace("</body>", &format!("<script>{checks}</script></body>"));
        let page = dir.join("checked.html");
        std::fs::write(&page, checked).unwrap();
        let output = self.run(&["--dump-dom"], &page, dir, width, dark);
        let dom = String::from_utf8(output.stdout).unwrap();
        let (_, rest) = dom.split_once(r#"<pre id="found">"#).unwrap();
        let (found, _) = rest.split_once("</pre>").unwrap();
        let found = found.replace("&lt;", "<").replace("&gt;", ">");
        serde_json::from_str(&found.replace("&amp;", "&")).unwrap()
    }

    /// A picture of a page, as PNG.
    pub(crate) fn picture(&self, html: &str, dir: &Path, width: u32, dark: bool) -> Vec<u8> {
        let page = dir.join("page.html");
        std::fs::write(&page, html).unwrap();
        let picture = dir.join("page.png");
        let screenshot = format!("--screenshot={}", picture.display());
        self.run(&[&screenshot], &page, dir, width, dark);
        std::fs::read(picture).unwrap()
    }

    fn run(&self, what: &[&str], page: &Path, dir: &Path, width: u32, dark: bool) -> Output {
        let profile = dir.join("profile");
        let output = Command::new(&self.program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--virtual-time-budget=2000",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={width},6000"))
            .arg(format!(
                "--blink-settings=preferredColorScheme={}",
                u8::from(!dark)
            ))
            .args(what)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        output
    }
}
