/** `dbtrial fetch ENGINE`: the server package of an engine, unpacked. */
import { engineNamed } from '../engines/registry.ts'
import { fetchPackage } from '../provision/fetch.ts'
import { note, print } from './output.ts'

export async function fetch(name: string): Promise<void> {
  const { server } = engineNamed(name)
  const home = await fetchPackage(server.package, note, new AbortController().signal)
  print(home.slice(0, home.lastIndexOf('/package') + '/package'.length))
}
