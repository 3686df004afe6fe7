// Every text that is to be seen, against what is drawn behind it; what stands out too little is named.
for (const one of document.querySelectorAll("details")) one.open = true;
const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = ([red, green, blue]) => {
  const [r, g, b] = [red, green, blue].map((part) => part / 255).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
    if (colour[3] > 0) throw new Error(`half transparent: ${one.outerHTML.slice(0, 80)}`);
  }
  return [255, 255, 255];
};
const weak = [];
let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("script")) continue;
  texts += 1;
  const [light, dark] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
  if ((light + 0.05) / (dark + 0.05) < 4.5) weak.push(element.outerHTML.slice(0, 120));
}
return { texts, weak };
