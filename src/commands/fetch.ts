/** `dbtrial fetch ENGINE`: the server package of an engine, unpacked. */
import { engineNamed } from '../engines/registry.ts'
import { TrialError } from '../errors.ts'
import { fetchPackage } from '../provision/fetch.ts'
import { note, print } from './output.ts'

export async function fetch(name: string): Promise<void> {
  const { server } = engineNamed(name)
  if (server.package === null)
    throw new TrialError('no-package', `no package of ${name} is fetched: the system's own package manager has it`, {
      hint: server.needs[0]?.hint ?? 'install it, so that it is on the PATH',
      exitCode: 2,
    })
  const home = await fetchPackage(server.package, note, new AbortController().signal)
  print(home.slice(0, home.lastIndexOf('/package') + '/package'.length))
}
