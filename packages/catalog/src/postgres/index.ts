export type { OutageOptions } from "./patient-monitor.ts";
export { PostgresCatalog, type PostgresCatalogOptions } from "./postgres-catalog.ts";
export { postgresClient, type SqlClient, type SqlRow, type SqlValue } from "./sql-client.ts";
export type { TableReport } from "./verify-tables.ts";
