/** The id of an incident's row, which notifications lead to: apart, because browsers need nothing else of alerts. Pure. */
export const incidentAnchor = (incidentId: string): string => `incident-${incidentId}`;
