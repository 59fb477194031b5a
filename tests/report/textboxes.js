// Returns what is wrong with the boxes of all texts on a page: outside their frame, or over each other.
(font) => {
  const found = [], seen = (node) => node.getClientRects().length > 0;
  const round = (box) => [box.left, box.right, box.top, box.bottom].map(Math.round).join(" ");
  document.documentElement.querySelectorAll("body, .drawing, .drawing svg, .tip").forEach((node) => { node.style.fontFamily = font; });
  document.querySelectorAll("details").forEach((node) => { node.open = true; });
  const width = document.documentElement.clientWidth;
  const outside = (box, left, right) => box.left < left - 1 || box.right > right + 1;
  for (const svg of document.querySelectorAll("figure svg")) {
    if (!seen(svg)) continue;
    const frame = svg.getBoundingClientRect(), name = svg.closest("figure").id;
    const texts = Array.from(svg.querySelectorAll("text")).filter((text) => text.textContent.trim() && text.getAttribute("opacity") !== "0");
    const boxes = texts.map((text) => text.getBoundingClientRect());
    texts.forEach((text, place) => {
      const box = boxes[place], label = name + ": " + text.textContent;
      if (outside(box, frame.left, frame.right) || box.top < frame.top - 2 || box.bottom > frame.bottom + 2)
        found.push("outside its drawing: " + label + " [" + round(box) + "] in [" + round(frame) + "]");
      if (outside(box, 0, width)) found.push("outside the page: " + label);
      for (let other = 0; other < place; other += 1) {
        const one = boxes[other];
        const high = Math.min(box.bottom, one.bottom) - Math.max(box.top, one.top);
        const wide = Math.min(box.right, one.right) - Math.max(box.left, one.left);
        // the box of a line is higher than its letters
        if (wide > 1 && high > 0.3 * Math.min(box.height, one.height)) found.push("over each other: " + label + " / " + texts[other].textContent);
      }
    });
  }
  const walker = document.createTreeWalker(document.querySelector(".layout"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !seen(parent) || parent.closest("svg, script, option, .hidden, .scroll, nav ol, section.answer > h2, figcaption")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    if (outside(range.getBoundingClientRect(), 0, width)) found.push("outside the page: " + node.data.trim());
  }
  return found;
}
