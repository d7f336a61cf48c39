/** Whether a client takes gzip (RFC 9110, 12.5.3): named, and not with the weight of never. */
export const takesGzip = (header: string | null): boolean =>
  header !== null && /(?:^|,)\s*gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(header);
