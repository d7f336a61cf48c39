/** Address of a task's page. Pure. */
export const jobHref = (id: string): string => `/tasks/${encodeURIComponent(id)}`;
