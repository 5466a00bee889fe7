// Appended to a copy of a report whose rules for print hold on the screen: looks for what print leaves out or cuts off.
const found = { texts: 0, hidden: [], controls: [], wide: [], colours: [] };
const texts = "h1, h2, p, figcaption, caption, th, td, svg text";
for (const it of document.querySelectorAll("header :is(" + texts + "), main :is(" + texts + ")")) {
  if (it.textContent.trim() === "") continue;
  found.texts += 1;
  const style = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  if (box.width === 0 || box.height === 0 || style.visibility !== "visible" || style.opacity === "0") found.hidden.push(it.textContent);
  const ink = it.closest("svg") ? style.fill : style.color;
  if (!["rgb(0, 0, 0)", "rgb(68, 68, 68)"].includes(ink)) found.colours.push(ink + ": " + it.textContent);
}
// What only a hand can use is no use on paper.
for (const it of document.querySelectorAll("input, label, nav")) if (it.getClientRects().length > 0) found.controls.push(it.id || it.textContent);
if (getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)") found.colours.push("paper");
const page = document.documentElement;
if (page.scrollWidth > page.clientWidth) found.wide.push(String(page.scrollWidth) + " of " + String(page.clientWidth));
const note = document.createElement("pre");
note.id = "found";
note.textContent = JSON.stringify(found);
document.body.append(note);
