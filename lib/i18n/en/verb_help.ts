/** Headings and sentences of the command line's help. */
export const verbHelp = {
  "verb_help.usage": "Usage: {line}",
  "verb_help.also": "Also:  {lines}",
  "verb_help.arguments": "Arguments",
  "verb_help.options": "Options",
  "verb_help.more": "More",
  "verb_help.always": "Always",
  "verb_help.server": "Which server",
  "verb_help.examples": "Examples",
  "verb_help.vms_many":
    "VMs are meant by name, id or pattern ('web-*'). Of several, each has its own result.",
  "verb_help.vm_one": "A VM is meant by its name or its id.",
  "verb_help.asks_first": "Asks first, because this is lost: {what}.",
  "verb_help.switched_off": "An option without a value is switched off like --no-{flag}.",
  "verb_help.exit_status": "Exit status: {statuses}.",
  "verb_help.name_role": "The command's name is {name}; its role is {role}.",
  "verb_help.first": "First of all",
  "verb_help.program": "This program",
  "verb_help.nouns": "Commands of the running server, by noun",
  "verb_help.more_of_verb": "{help} tells more of a verb, {noun} of a noun; {version} tells the version.",
  "verb_help.more_of_noun":
    "kvm-manager {words} VERB --help tells more of a verb. ls, info and rm are list, show and delete.",
} as const;
