/** Texts of lists of all hosts: which host, and what is missing. */
export const search = {
  "search.host": "Host",
  "search.all_hosts": "All hosts",
  "search.missing": "Not all of {name} is here",
  "search.missing_why": "{reason}.",
  "search.heard": "It answered last {ago}.",
  "search.never_heard": "It has not answered since KVM Manager started.",
  "search.clock": "The clock of {name} differs by {span}. Its times are shown by this host's clock.",
  "search.tasks": "Search tasks",
  "search.text": "Text",
  "search.state": "State",
  "search.any": "Any",
  "search.open": "Waiting or running",
  "search.do": "Search",
  "search.clear": "Show all",
  "search.older": "Older",
  "search.none": "Nothing matches.",
} as const;
