/** Labels and hints of the fields of network interfaces (`lib/text/field_texts.ts`). */
export const nicFields = {
  "field.network": "Network",
  "field.model": "Model",
  "field.mac": "MAC address",
  "hint.mac": "Left empty, a free one is chosen.",
  "field.newMac": "MAC address",
  "field.filter": "Network filter",
  "field.filterAddresses": "Addresses it may use",
  "hint.filterAddresses": "Space-separated. Empty: the first address the guest uses.",
  "field.linkUp": "The cable is plugged in",
} as const;
