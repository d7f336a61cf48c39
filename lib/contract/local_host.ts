/** The host that is meant where none is named: the one KVM Manager runs on. */
export const LOCAL_HOST = "local";
