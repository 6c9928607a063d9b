// Search by id and words. Nothing else on the page needs a script.
"use strict";
(() => {
  const form = document.getElementById("search"), input = form.elements.words, found = document.getElementById("found");
  const plain = (node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll(".evidence, .badge").forEach((part) => part.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const requirements = [...document.querySelectorAll(".requirement")].map((node) => {
    const text = plain(node);
    return { id: node.id, label: node.id, text: text.slice(node.id.length).trim(), lower: text.toLowerCase() };
  });
  const sections = [...document.querySelectorAll("main h2, main h3, main h4")].map((node) => {
    const text = plain(node);
    return { id: node.id, label: "§", text, lower: text.toLowerCase() };
  });
  const LIMIT = 30;

  const matches = (words) => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return [];
    const whole = wanted.join(" ");
    const isId = (entry) => entry.id.toLowerCase() === whole;
    const ofIds = requirements.filter((entry) => entry.id.toLowerCase().startsWith(whole));
    const others = [...sections, ...requirements].filter(
      (entry) => !ofIds.includes(entry) && wanted.every((word) => entry.lower.includes(word)));
    return [...ofIds.filter(isId), ...ofIds.filter((entry) => !isId(entry)), ...others];
  };

  const line = (entry) => {
    const link = document.createElement("a"), name = document.createElement("b");
    link.href = "#" + entry.id;
    name.textContent = entry.label;
    link.append(name, " ", entry.text.slice(0, 140));
    const item = document.createElement("li");
    item.append(link);
    return item;
  };

  const show = () => {
    const all = matches(input.value), lines = all.slice(0, LIMIT).map(line);
    const rest = document.createElement("li");
    rest.className = "rest";
    if (!all.length) rest.textContent = "Nothing found.";
    else if (all.length > LIMIT) rest.textContent = `and ${all.length - LIMIT} more`;
    found.replaceChildren(...lines, ...(rest.textContent ? [rest] : []));
    found.hidden = !input.value.trim();
  };

  const hide = () => { found.hidden = true; };

  form.hidden = false;
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = found.querySelector("a");
    if (first) { location.hash = first.hash; hide(); input.blur(); }
  });
  form.addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")], at = links.indexOf(document.activeElement);
    if (event.key === "Escape") { hide(); input.blur(); }
    else if (event.key === "ArrowDown" && links[at + 1]) { event.preventDefault(); links[at + 1].focus(); }
    else if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (links[at - 1] || input).focus(); }
  });
  found.addEventListener("click", hide);
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) hide(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      input.focus();
    }
  });

  const entries = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const heads = [...document.querySelectorAll("main h2[id]")];
  const here = () => {
    const head = heads.filter((each) => each.getBoundingClientRect().top < 120).pop();
    entries.forEach((link) => link.removeAttribute("aria-current"));
    if (head && entries.has(head.id)) entries.get(head.id).setAttribute("aria-current", "true");
  };
  addEventListener("scroll", here, { passive: true });
  here();
})();
