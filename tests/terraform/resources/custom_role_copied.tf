variable "description" { default = "as Export" }

resource "mixpanel_custom_role" "export" {
  name        = "Export"
  description = "export"
  permissions = ["view_project", "export_reports_csv"]
}

# Without permissions, so that an update sends none.
resource "mixpanel_custom_role" "this" {
  name                = "Support"
  description         = var.description
  copied_from_role_id = mixpanel_custom_role.export.role_id
}
