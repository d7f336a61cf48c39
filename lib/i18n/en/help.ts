/** The documentation. */
export const help = {
  "help.title": "Help",
  "help.search": "Search the documentation",
  "help.search_do": "Search",
  "help.all": "All chapters",
  "help.none": "No section has all of these words",
  "help.none_what": "Use fewer words, or other ones.",
  "help.contents": "On this page",
  "help.group.start": "Installation and access",
  "help.group.vms": "Virtual machines",
  "help.group.storage": "Images, disks and networks",
  "help.group.hosts": "Hosts",
  "help.group.operation": "Operation",
  "help.group.programs": "Command line and API",
  "help.group.development": "For developers",
  "help.found.one": "{n} section found",
  "help.found.other": "{n} sections found",
};
