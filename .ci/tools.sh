# Sourced: installs what some tests want beyond Node, outside of node_modules, and tells them where it is. What cannot be had leaves its tests skipped,
# which they say. 30 s and 320 MB for Python's, 10 s and 100 MB for osls; kept in .cache until the versions change.
tools_cache=$PWD/.cache
tools_osls=4.3.1

if ! cmp -s .ci/python-tools.txt "$tools_cache/python/installed.txt"; then
  rm -rf "$tools_cache/python"
  mkdir -p "$tools_cache"
  if python3 -m venv "$tools_cache/python" && "$tools_cache/python/bin/pip" install --quiet --disable-pip-version-check -r .ci/python-tools.txt; then
    cp .ci/python-tools.txt "$tools_cache/python/installed.txt"
  else
    echo 'without cfn-lint and moto: their tests are skipped'
  fi
fi
if [ -f "$tools_cache/python/installed.txt" ]; then
  export CERTBELL_PYTHON_TOOLS=$tools_cache/python/bin
  export CERTBELL_MOTO=$tools_cache/python/bin/moto_server
fi

if [ ! -f "$tools_cache/osls-$tools_osls/node_modules/osls/bin/serverless.js" ]; then
  npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$tools_cache/osls-$tools_osls" "osls@$tools_osls" ||
    echo 'without osls: its tests are skipped'
fi
if [ -f "$tools_cache/osls-$tools_osls/node_modules/osls/bin/serverless.js" ]; then
  export CERTBELL_OSLS=$tools_cache/osls-$tools_osls/node_modules/osls/bin/serverless.js
fi
