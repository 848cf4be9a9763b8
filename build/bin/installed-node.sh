node=${here%/*}/../../../culvert-desktop
if [ "${NODE_OPTIONS+given}" ]; then export CULVERT_KEPT_NODE_OPTIONS="$NODE_OPTIONS"; fi
if [ "${NODE_EXTRA_CA_CERTS+given}" ]; then export CULVERT_KEPT_NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"; fi
if [ "${ELECTRON_RUN_AS_NODE+given}" ]; then export CULVERT_KEPT_ELECTRON_RUN_AS_NODE="$ELECTRON_RUN_AS_NODE"; fi
export ELECTRON_RUN_AS_NODE=1
