/** Texts that the fields of every form have by themselves. */
export const fields = {
  "fields.automatic": "Automatic",
  "fields.default": "Default",
  "fields.again": "Enter it again: KVM Manager does not send secrets back.",
  "fields.missing": "Fill in this field.",
  "fields.choose": "Choose one.",
  "fields.tick": "Tick this box to go on.",
  "fields.too_short": "At least {min} characters.",
  "fields.too_long": "At most {max} characters.",
  "fields.number": "Enter a number.",
  "fields.too_small": "At least {min}.",
  "fields.too_large": "At most {max}.",
  "fields.step": "Enter a whole number.",
  "fields.email": "Enter an e-mail address.",
  "fields.url": "Enter a full address, such as https://example.org/.",
  "fields.format": "Not in the expected format.",
} as const;
