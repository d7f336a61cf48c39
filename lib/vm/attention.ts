/** What about a VM needs a person, in the words of the server; pages know some of them by these. */

/** Its screen can be closed from the page that says so. */
export const OPEN_SCREEN =
  "Its screen has no password: everybody who reaches its port on the host has its keyboard.";
