"""transfer.py INSTANCE SOURCE COPY: puts a file into an instance and fetches it back, by Ansible's connection plugin."""
import sys

from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

name, source, copy = sys.argv[1:]
connection = connection_loader.get('community.general.lxd', PlayContext(), None)
connection.set_options(direct={'remote_addr': name})
connection.put_file(source, '/root/transferred')
connection.fetch_file('/root/transferred', copy)
