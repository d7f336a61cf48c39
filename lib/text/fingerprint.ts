/** SHA-256 of a certificate as browsers and VMware's consoles show it: `AB:CD:…`. @param hex hexadecimal digits, an even number */
export const shownFingerprint = (hex: string): string => hex.toUpperCase().match(/../g)!.join(":");
