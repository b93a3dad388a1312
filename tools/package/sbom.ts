import { npm } from './modules.ts';

/** Parts of a bill of materials that we change. */
interface Bom {
  serialNumber?: string;
  metadata: { timestamp: string; component: { name: string; version: string } };
}

/**
 * The bill of materials of installed packages, in CycloneDX's form.
 * @param folder the one in which they were installed
 */
export function billOfMaterials(folder: string, version: string, date: Date): string {
  return settled(npm(folder, ['sbom', '--sbom-format=cyclonedx', '--omit=dev']), version, date);
}

/** The same for each build: without its random number, and with the time of the sources. */
export function settled(text: string, version: string, date: Date): string {
  const bom = JSON.parse(text) as Bom;
  delete bom.serialNumber;
  bom.metadata.timestamp = date.toISOString();
  bom.metadata.component.name = 'porthole';
  bom.metadata.component.version = version;
  return `${JSON.stringify(bom, null, 2)}\n`;
}
