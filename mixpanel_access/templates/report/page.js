"use strict";
// The page is whole without this script. It filters, shortens the matrix, and opens everything for the printer.
(() => {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ");
  const rows = [...document.querySelectorAll("[data-row]")];
  const parts = [...document.querySelectorAll("[data-part]")];
  const groups = [...document.querySelectorAll("[data-group]")];
  const box = document.getElementById("search");
  const count = document.getElementById("count");
  const people = rows.filter((row) => row.dataset.row === "person");
  const texts = new Map();

  // A row of the matrix is found by all that is said of its person.
  const textOf = (row) => {
    if (!texts.has(row)) {
      const person = row.dataset.person && document.getElementById(row.dataset.person);
      texts.set(row, plain(row.textContent + (person ? " " + person.textContent : "")));
    }
    return texts.get(row);
  };
  const anyShown = (element) => [...element.querySelectorAll("[data-row]")].some((row) => !row.hidden);

  const filter = () => {
    const words = plain(box.value).split(" ").filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => textOf(row).includes(word));
    for (const group of groups) group.hidden = !anyShown(group);
    for (const part of parts) part.querySelector("[data-nothing]").hidden = anyShown(part);
    document.documentElement.classList.toggle("filtered", words.length > 0);
    const shown = people.filter((row) => !row.hidden).length;
    const all = `${people.length} ${people.length === 1 ? "person" : "people"}`;
    count.textContent = words.length ? `${shown} of ${all} for “${box.value.trim()}”` : all;
  };

  let timer = 0;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 120);
  });

  const ways = document.getElementById("show-ways");
  const matrix = document.getElementById("matrix-table");
  if (ways && matrix) {
    ways.addEventListener("click", () => {
      const all = ways.getAttribute("aria-pressed") !== "true";
      ways.setAttribute("aria-pressed", String(all));
      matrix.classList.toggle("compact", !all);
    });
  }

  // A person that the filter hides is shown again when a link leads to them.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#p-"]');
    const person = link && document.getElementById(link.hash.slice(1));
    if (person) person.hidden = false;
  });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  document.documentElement.classList.add("script");
  box.value = "";
  filter();
})();
