// Everything is built from what npm installed and what the views say: the page asks no other host for anything.
export default {
  root: "src",
  output: "dist",
  title: "Customer value",
  pages: [
    {name: "Base", path: "/"},
    {name: "To do", path: "/todo"},
    {name: "Segments", path: "/segments"},
    {name: "Customers at work", path: "/customers"},
    {name: "Cohorts", path: "/cohorts"},
    {name: "Trust", path: "/trust"},
    {name: "Data check", path: "/check"}
  ],
  style: "style.css",
  globalStylesheets: [],
  toc: false,
  pager: false,
  search: false,
  footer: ""
};
