#!/bin/sh
# Copied into an instance by inside.yml.
echo "script $0"
