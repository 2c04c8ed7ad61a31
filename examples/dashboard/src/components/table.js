// A table that a click on a heading sorts: text upwards first, numbers downwards, what is unknown always last.
import {element} from "./chart.js";

function compare(name, down) {
  return ({[name]: a}, {[name]: b}) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return (a < b) === down ? 1 : -1;
  };
}

// columns: [{name, title, format (for numbers), help}]
export function table({id, rows, columns, title, subtitle = "", wide = false, empty}) {
  if (!rows.length) return element("figure", {id, class: "chart"}, element("h2", {}, empty));

  const body = element("tbody");
  const headings = columns.map(({name, title, format, help}) => {
    const button = element("button", {title: help}, title);
    const heading = element("th", {scope: "col", class: format ? "number" : "text", "aria-sort": "none"}, button);
    button.onclick = () => sort(name, heading, Boolean(format));
    return heading;
  });

  function fill(sorted) {
    body.replaceChildren(...sorted.map((row) => element("tr", {}, ...columns.map(({name, format}) =>
      element("td", {class: format ? "number" : "text"}, format ? format(row[name]) : row[name] ?? "–")))));
  }

  function sort(name, heading, downFirst) {
    const before = heading.getAttribute("aria-sort");
    const down = before === "none" ? downFirst : before === "ascending";
    for (const other of headings) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    fill([...rows].sort(compare(name, down)));
  }

  fill(rows);
  return element("figure", {id, class: wide ? "chart wide" : "chart"}, element("h2", {}, title()), element("p", {}, subtitle),
    element("div", {class: "table"},
      element("table", {}, element("thead", {}, element("tr", {}, ...headings)), body)));
}
