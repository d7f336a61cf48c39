/** The list of VMs: its tools, groups and pages. */
export const list = {
  "group.label": "Group by",
  "group.none": "None",
  "group.by_state": "State",
  "group.by_tag": "Tag",
  "group.by_group": "Group",
  "group.by_project": "Project",
  "group.by_host": "Host",
  "group.no_tag": "No tag",
  "group.no_group": "No group",
  "group.no_project": "No project",

  "sort.label": "Sort by",
  "sort.ascending": "Sort ascending",
  "sort.descending": "Sort descending",

  "view.label": "View",
  "view.table": "Table",
  "view.cards": "Cards",

  "list.as_of": "as of {ago}",
  "list.not_understood": "as {ago}: not understood, update KVM Manager here",
  "list.away": "{name}: not connected since {time}.",
  "list.away_what": "Its VMs are shown as last known.",
  "list.away_why": "Reason: {reason}",
  "list.search": "Search VMs",
  "list.apply": "Apply",
  "list.select": "Select {name}",
  "list.select_all": "Select all",
  "list.shown.one": "{n} VM is shown",
  "list.shown.other": "{n} VMs are shown",

  "pages.label": "Pages",
  "pages.at": "Page {page} of {pages}",
  "pages.previous": "Previous",
  "pages.next": "Next",
} as const;
