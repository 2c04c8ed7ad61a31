// A table that a click on a heading sorts: text upwards first, numbers downwards, what is unknown always last.
import {element} from "./chart.js";
import {count} from "./format.js";

function compare(name, down) {
  return ({[name]: a}, {[name]: b}) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return (a < b) === down ? 1 : -1;
  };
}

// As many rows as are seen at once; of more the table says that it scrolls.
const seen = 12;

// columns: [{name, title, format (for numbers), help, wide (text that breaks)}]
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
    body.replaceChildren(...sorted.map((row) => element("tr", {}, ...columns.map(({name, format, wide}) =>
      element("td", {class: format ? "number" : wide ? "text long" : "text"},
        format ? format(row[name]) : row[name] ?? "–")))));
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
    element("div", rows.length > seen ? {class: "table scrolls", tabindex: "0"} : {class: "table"},
      element("table", {}, element("thead", {}, element("tr", {}, ...headings)), body)),
    ...(rows.length > seen ? [element("p", {class: "more"}, `${count(rows.length)} rows: scroll down for those below`)] : []));
}
