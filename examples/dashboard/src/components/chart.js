// What all charts share: a frame with a title, what is said where there is nothing to show, the colours.
import * as Plot from "../lib/plot.js";
import {resize} from "observablehq:stdlib";

// Blue and vermilion (in the dark: sky blue and orange) differ to every kind of eye; style.css has the shades.
export const blue = "var(--clv-blue)";
export const orange = "var(--clv-orange)";
export const muted = "var(--theme-foreground-muted)";

export {Plot};

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// legend: [[colour, word], ...]; plot(width) gives the options for Plot, title() what there is to see; wide: the
// chart has a row for itself.
// Without rows neither is called, and empty says why there is nothing.
export function chart({id, rows, title, subtitle = "", legend = [], wide = false, plot, empty}) {
  if (!rows.length) return element("figure", {id, class: "chart"}, element("h2", {}, empty));

  const text = title();
  // the name of the horizontal axis stands below its ticks, in the middle
  const below = {labelAnchor: "center", labelArrow: "none", labelOffset: 44};
  const keys = legend.map(([colour, word]) =>
    element("span", {class: "key"}, element("i", {style: `background: ${colour}`}), word));
  const drawing = resize((width) => {
    const {x, ...options} = plot(width);
    return Plot.plot({ariaLabel: text, style: {fontSize: "12px", overflow: "visible"}, height: 300, marginTop: 28,
      marginBottom: 50,
      ...options, x: {...below, ...x}, width});
  });
  return element("figure", {id, class: wide ? "chart wide" : "chart"}, element("h2", {}, text), element("p", {}, subtitle),
    element("p", {class: "legend"}, ...keys), drawing);
}

// A cell's shade for a share from 0 to 1 of the largest value, and the colour of a number upon it. The shade is
// the hue more or less transparent, so that little looks like nothing on a white page and on a black one.
export const shade = (share) => 0.08 + 0.92 * share;
export const upon = (share) => (shade(share) > 0.88 ? "white" : "currentColor");
export const heat = "var(--clv-heat)";

// One large number, with a word on it above and below.
export function card({id, title, value, note = ""}) {
  return element("div", {id, class: "card"}, element("h2", {}, title), element("span", {class: "big"}, value),
    element("p", {}, note));
}
