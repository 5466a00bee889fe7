// Appended to a copy of a report: looks at every drawing as it is laid out, and leaves what it found in the page.
const found = { drawings: 0, marks: 0, choices: 0, unpicked: [], empty: [], overlaps: [], outside: [], wide: [] };
const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
// Of each choice one is seen, and each can be picked.
for (const choice of document.querySelectorAll(".choice")) {
  const panels = [...choice.querySelectorAll(".panel")];
  const inputs = [...choice.querySelectorAll("input")];
  const seen = (only) => panels.every((it, at) => it.getClientRects().length > 0 === (at === only));
  found.choices += 1;
  const first = inputs.findIndex((it) => it.checked);
  if (first < 0 || inputs.length !== panels.length || !seen(first)) found.unpicked.push(inputs[0].name);
  inputs.forEach((input, at) => {
    choice.querySelector("label[for='" + input.id + "']").click();
    if (!seen(at)) found.unpicked.push(input.id);
  });
}
// From here on, all of them.
const all = document.createElement("style");
all.textContent = ".choice > .panel { display: block !important; }";
document.head.append(all);
for (const svg of document.querySelectorAll("svg")) {
  const name = svg.getAttribute("aria-label");
  found.drawings += 1;
  const marks = [...svg.querySelectorAll(".m, polyline.l, rect.b")].filter((it) => {
    const box = it.getBoundingClientRect();
    return box.width > 0 || box.height > 0;
  });
  found.marks += marks.length;
  if (marks.length < 2) found.empty.push(name);
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map((it) => [it.textContent, it.getBoundingClientRect()]);
  texts.forEach(([text, box], at) => {
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      found.outside.push(name + ": " + text);
    for (const [other, beside] of texts.slice(at + 1))
      if (!apart(box, beside)) found.overlaps.push(name + ": " + text + " / " + other);
  });
}
const page = document.documentElement;
if (page.scrollWidth > page.clientWidth + 1) found.wide.push(String(page.scrollWidth) + " of " + String(page.clientWidth));
const note = document.createElement("pre");
note.id = "found";
note.textContent = JSON.stringify(found);
document.body.append(note);
