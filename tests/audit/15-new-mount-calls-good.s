; the repaired twin of 15-new-mount-calls-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_mount, deny
jeq #__NR_mount_setattr, deny
jeq #__NR_move_mount, deny
jeq #__NR_open_tree_attr, deny
jeq #__NR_fsconfig, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
