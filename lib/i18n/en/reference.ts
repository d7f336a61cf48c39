/** The API reference. */
export const reference = {
  "reference.title": "API reference",
  "reference.intro":
    "Every command of this server. Each is a REST call, a call of its own name under /api/v1/commands, and a call of the kvm-manager command on this host.",
  "reference.openapi": "The same as OpenAPI 3.1",
  "reference.commands": "Commands",
  "reference.filter": "Filter commands",
  "reference.found.one": "{n} command",
  "reference.found.other": "{n} commands",
  "reference.example": "Example",
  "reference.role": "least role: {role}",
  "reference.input": "Input",
  "reference.field": "Field",
  "reference.schema": "Schema",
  "reference.meaning": "Meaning",
  "reference.required": "(required)",
  "reference.output": "Output schema",
  "reference.errors": "Errors",
  "reference.events": "Events",
  "reference.events_text":
    "Server-sent events. Those with an id can be resumed: send the last one seen as Last-Event-ID, and what was missed follows. A reload event says that too much was missed: read everything again.",
} as const;
