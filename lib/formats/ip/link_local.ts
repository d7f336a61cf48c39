/**
 * Whether an address is good on its own link alone, as those are that a system gives itself before anything else answers
 * (RFC 3927, RFC 4291). Takes what guests and libvirt write, with or without a prefix length.
 */
export const isLinkLocal = (address: string): boolean => /^(fe[89ab][0-9a-f]:|169\.254\.)/i.test(address);
