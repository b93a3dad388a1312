"""What programs do with pylxd: runs the flows below, and prints their results as a line of JSON.

The server is that of LXD_DIR; its instance `run` runs, and `stopped` does not. The result of a flow that fails is its
traceback. Standard input is a JSON list of expressions for the flow `refusals`.
"""
import json
import os
import sys
import tempfile
import threading
import time
import traceback

import pylxd
from pylxd.exceptions import LXDAPIException

IMAGE = {'type': 'image', 'alias': 'busybox'}
client = pylxd.Client()


def instance(name, **fields):
    return client.containers.create({'name': name, 'source': IMAGE, **fields}, wait=True)


def status(container):
    container.sync()
    return container.status


def states():
    """Creates an instance by alias and one by fingerprint, and takes one through all states."""
    c1 = instance('c1', config={'user.role': 'web'})
    image = client.images.get_by_alias('busybox')
    client.containers.create({'name': 'c2', 'source': {'type': 'image', 'fingerprint': image.fingerprint}}, wait=True)
    seen = [status(c1)]
    for change in (
        lambda: c1.start(wait=True),
        lambda: c1.freeze(wait=True),
        lambda: c1.unfreeze(wait=True),
        lambda: c1.restart(timeout=30, force=False, wait=True),
        lambda: c1.restart(wait=True),
        lambda: c1.stop(timeout=30, force=False, wait=True),
        lambda: c1.start(wait=True),
        lambda: c1.stop(wait=True),
    ):
        change()
        seen.append(status(c1))
    c1.rename('c3', wait=True)
    names = [each.name for each in client.containers.all()]
    client.containers.get('c3').delete(wait=True)
    client.containers.get('c2').delete(wait=True)
    return {'statuses': seen, 'names': names, 'left': len(client.containers.all()), 'role': c1.config['user.role']}


def config():
    """Changes config, devices, description and profiles of a running instance."""
    c1 = client.containers.get('run')
    profile = client.profiles.create('web', config={'user.from': 'profile'}, devices={})
    c1.config['user.a'] = '1'
    c1.description = 'changed'
    c1.devices['docs'] = {'type': 'disk', 'source': '/usr/share/doc', 'path': '/mnt/docs', 'readonly': 'true'}
    c1.profiles = ['default', 'web']
    c1.save(wait=True)
    profile.config['user.more'] = 'later'
    profile.save()
    c1.sync()
    result = {
        'description': c1.description,
        'own': c1.config['user.a'],
        'expanded': [c1.expanded_config[key] for key in ('user.from', 'user.more')],
        'mounted': c1.execute(['test', '-d', '/mnt/docs/dpkg']).exit_code,
        'used_by': client.profiles.get('web').used_by,
    }
    profile.rename('site')
    c1.sync()
    result['renamed'] = c1.profiles
    c1.profiles = ['default']
    del c1.devices['docs']
    c1.save(wait=True)
    client.profiles.get('site').delete()
    result['profiles'] = [each.name for each in client.profiles.all()]
    return result


def execute():
    """Runs commands, with all that `execute` can be given."""
    c1 = client.containers.get('run')
    lines = []
    failing = c1.execute(['sh', '-c', 'echo out; echo $WHO >&2; exit 3'], environment={'WHO': 'err'})
    c1.execute(['sh', '-c', 'echo a; echo b >&2'], stdout_handler=lines.append, stderr_handler=lines.append)
    return {
        'failing': failing,
        'stdin': c1.execute(['cat'], stdin_payload='line\n').stdout,
        'bytes': list(c1.execute(['cat'], stdin_payload=b'\x00\xff', decode=False).stdout),
        'large': len(c1.execute(['cat'], stdin_payload='x' * 100_000).stdout),
        'handlers': sorted(lines),
        'missing': c1.execute(['no-such-command']).exit_code,
    }


def files():
    """Puts, gets and deletes files."""
    c1 = client.containers.get('run')
    c1.files.put('/root/f', 'text', mode=0o640, uid=1, gid=2)
    c1.files.put('/root/g', b'\x00\xff')
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, 'below'))
        with open(os.path.join(folder, 'below', 'h'), 'w') as file:
            file.write('deep')
        c1.files.recursive_put(folder, '/root/tree')
    listing = json.loads(c1.files.get('/root'))['metadata']
    result = {
        'f': c1.files.get('/root/f').decode(),
        'g': list(c1.files.get('/root/g')),
        'owner': c1.execute(['stat', '-c', '%a %u %g', '/root/f']).stdout.strip(),
        'deep': c1.files.get('/root/tree/below/h').decode(),
        'listing': sorted(listing),
    }
    c1.files.delete('/root/f')
    c1.files.delete('/root/g')
    return result


def state():
    """Reads the state of a running instance."""
    now = client.containers.get('run').state()
    return {
        'status': now.status,
        'runs': now.pid > 0 and now.processes > 0,
        'memory': now.memory['usage'] > 0,
        'networks': isinstance(now.network, dict),
    }


def events():
    """Listens to lifecycle events while another thread changes something."""
    listener = client.events(event_types={pylxd.EventType.Lifecycle})
    listener.connect()
    reader = threading.Thread(target=listener.run, daemon=True)
    reader.start()
    client.profiles.create('heard')
    client.profiles.get('heard').delete()
    deadline = time.monotonic() + 20
    while len(listener.messages) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    heard = [message['metadata'] for message in listener.messages]
    listener.close()
    return [[each['action'], each['source']] for each in heard]


def images():
    """Exports an image, deletes it, creates it again from the bytes, and gives it names."""
    image = client.images.get_by_alias('busybox')
    exported = image.export().read()
    image.delete(wait=True)
    gone = not client.images.exists(image.fingerprint)
    image = client.images.create(exported, wait=True)
    image.add_alias('busybox', 'made again')
    image.add_alias('other', '')
    image.delete_alias('other')
    image.public = True
    image.properties = {**image.properties, 'user.note': 'kept'}
    image.save(wait=True)
    image.sync()
    result = {
        'gone': gone,
        'same': len(exported) == image.size,
        'aliases': [each['name'] for each in image.aliases],
        'public': image.public,
        'note': image.properties['user.note'],
        'all': len(client.images.all()),
    }
    image.public = False
    image.save(wait=True)
    return result


def listings():
    """Lists what programs look for before they make instances."""
    [pool] = client.storage_pools.all()
    pool.sync()
    networks = {each.name: each for each in client.networks.all()}
    for network in networks.values():
        network.sync()
    return {
        'pool': [pool.name, pool.driver, pool.used_by],
        'networks': {name: [each.type, each.managed, each.used_by] for name, each in networks.items()},
        'exist': [client.storage_pools.exists('default'), client.networks.exists('lo'), client.networks.exists('zz')],
        'projects': client.api.projects.get().json()['metadata'],
        'trusted': client.trusted,
    }


def refusals():
    """The exception of each expression."""
    names = {
        'client': client,
        'run': client.containers.get('run'),
        'stopped': client.containers.get('stopped'),
        'image': client.images.get_by_alias('busybox'),
        'changed': changed,
        'IMAGE': IMAGE,
    }
    return {each: refusal(each, names) for each in json.load(sys.stdin)}


def changed(model, **fields):
    """Saves an object with other fields."""
    for name, value in fields.items():
        setattr(model, name, value)
    model.save(wait=True)


def refusal(expression, names):
    try:
        return f'nothing is raised: {eval(expression, names)!r}'
    except LXDAPIException as error:
        return f'{type(error).__name__} {error.response.status_code}: {error}'.strip()
    except Exception as error:
        return f'{type(error).__name__}: {error}'


def outcome(flow):
    try:
        return flow()
    except Exception:
        return traceback.format_exc()


FLOWS = (states, config, execute, files, state, events, images, listings, refusals)
print(json.dumps({flow.__name__: outcome(flow) for flow in FLOWS}))
